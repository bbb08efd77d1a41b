"""Reads what a program of the Agent Client Protocol answers: a session's options, and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from acp.exceptions import RequestError


def choices_of(opened: Any) -> dict[str, list[str]]:
    """The values that a session offers for each of its options, by the option's id."""
    found: dict[str, list[str]] = {}
    for option in getattr(opened, "config_options", None) or ():
        body = option.model_dump(mode="json", by_alias=True, exclude_none=True)
        found[str(body.get("id"))] = list(_values(body.get("options")))
    return found


def _values(options: object) -> Sequence[str]:
    """Option values, flat or in groups."""
    values: list[str] = []
    for option in options if isinstance(options, list) else ():
        values += [str(option["value"])] if "value" in option else _values(option.get("options"))
    return values


def message_in(text: str) -> str:
    """The message of a provider's error that a program passes on as JSON; other texts as they are."""
    try:
        body = json.loads(text)
    except ValueError:
        return text
    error = body.get("error") if isinstance(body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return message if isinstance(message, str) and message else text


def error_code(error: RequestError) -> str:
    data = error.data if isinstance(error.data, Mapping) else {}
    return "agent_auth" if error.code == -32000 or "Auth" in str(data.get("errorName")) else "agent_error"


# What a program may send without getting on: what it costs, what it could do, that it is still there.
_NO_PROGRESS = frozenset({
    "usage_update", "available_commands_update", "current_mode_update", "config_option_update", "session_info_update",
})  # fmt: skip


def is_progress(update: Mapping[str, Any]) -> bool:
    """Whether an update of a session is a sign that the work goes on."""
    return update.get("sessionUpdate") not in _NO_PROGRESS
