"""Adding up what several sessions of one attempt have used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COUNTED = ("input_tokens", "output_tokens", "cached_input_tokens", "cost_usd")


def added(before: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Any]:
    """The sum of both; what is no number (the model) is the later one's."""
    total = {**before, **usage}
    for name in _COUNTED:
        if name in before and name in usage:
            total[name] = before[name] + usage[name]
    return total
