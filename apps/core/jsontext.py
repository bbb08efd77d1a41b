"""JSON in and out, strictly: what the database could not hold is refused where it arrives, with a reason.

orjson refuses by itself: bad UTF-8, NaN and Infinity, lone surrogates, nesting beyond 1,024 levels. It reads deeper
than it writes (254 levels), so what could be read but never stored or shown again is refused here as well.
"""

import re
from typing import Any

import orjson

from apps.core.errors import MalformedError

MAX_DEPTH = 200
_LIMIT_OF_WRITING = 254
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def loads(raw: bytes) -> Any:
    """The value in `raw`; MalformedError for anything that is not JSON, or holds a NUL character."""
    if b"\\u0000" in raw and _NUL.search(raw):
        raise MalformedError("The body holds a NUL character (\\u0000), which no text here may hold.")
    return _loads(raw)


def loads_mended(raw: bytes) -> Any:
    """As `loads`, with NUL characters replaced by U+FFFD: for what programs printed, which must not get stuck."""
    return _loads(_NUL.sub(rb"\1\\ufffd", raw))


def loads_object(raw: bytes) -> dict[str, Any]:
    """As `loads`, for bodies that must be a JSON object; an empty body is an empty object."""
    value = loads(raw) if raw.strip() else {}
    if not isinstance(value, dict):
        raise MalformedError("The body must be a JSON object.")
    return value


def _loads(raw: bytes) -> Any:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"The body is not valid JSON: {error}.") from error
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and not _is_shallow(value):
        _check_depth(value)
    return value


def _is_shallow(value: Any) -> bool:
    """Whether orjson still writes the value with so much around it that its own limit is no deeper than ours. It is
    many times faster than looking at each value from here."""
    for _ in range(_LIMIT_OF_WRITING - MAX_DEPTH + 1):
        value = [value]
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise MalformedError(f"The body is nested deeper than {MAX_DEPTH} levels.")


def dumps(value: object) -> bytes:
    """JSON of `value`; datetimes as ISO 8601 in UTC with 'Z', UUIDs as text."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return orjson.dumps(_writable(value), option=_OPTIONS)


_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def _writable(value: Any) -> Any:
    """The value with numbers as they were sent: 1e20 comes back from the database as a whole number of 21 digits,
    which orjson does not write. Numbers of that size are read as floats only, so none loses anything."""
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else float(value)
    if isinstance(value, dict):
        return {name: _writable(held) for name, held in value.items()}
    return [_writable(held) for held in value] if isinstance(value, list | tuple) else value
