"""The JSON schemas of tools, as short as they can be: every client reads all of them before its first call."""

from typing import Any


def without_titles(schema: Any, *, names: bool = False) -> Any:
    """The schema without the titles that pydantic makes of names; `names`: the keys are names of properties."""
    if isinstance(schema, list):
        return [without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_titles(value, names=not names and key in ("properties", "$defs"))
        for key, value in schema.items()
        if names or key != "title" or not isinstance(value, str)
    }
