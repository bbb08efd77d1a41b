"""Numbers that came through protobuf: its Struct knows only doubles, so what was 42 comes as 42.0."""

from typing import Any

WHOLE = 2.0**53
"""Beyond, doubles are no longer exact whole numbers."""


def whole_numbers(value: Any) -> Any:
    """The JSON value with whole numbers as such again, at any depth, as JSON's readers take them."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < WHOLE else value
    if isinstance(value, dict):
        return {name: whole_numbers(one) for name, one in value.items()}
    return [whole_numbers(one) for one in value] if isinstance(value, list) else value
