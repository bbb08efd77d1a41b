"""JSON values in the form in which they can be stored: what PostgreSQL and UTF-8 refuse is replaced, long texts cut."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

TEXT_LIMIT = 200_000  # characters
_CUT = "\n[cut: {dropped} more characters]"


def storable_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text without what PostgreSQL and UTF-8 refuse (NUL, lone surrogates), cut to the limit."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if len(clean) <= limit:
        return clean
    return clean[:limit] + _CUT.format(dropped=len(clean) - limit)


def storable(value: Any, depth: int = 0, limit: int = TEXT_LIMIT) -> Any:
    """The same JSON value with every text made storable; what nests deeper than 20 levels becomes text."""
    if isinstance(value, str):
        return storable_text(value, limit)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= 20:
        return storable_text(repr(value), limit)
    if isinstance(value, Mapping):
        return {storable_text(str(key)): storable(item, depth + 1, limit) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [storable(item, depth + 1, limit) for item in value]
    return storable_text(str(value), limit)
