"""One constructor for each kind of event that a worker reports. There are no other event shapes.

Sizes: texts are cut (`codetether_sessions.storable`) so that one event always fits a request of a few megabytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from codetether_sessions.storable import storable, storable_text

Action = Literal["created", "modified", "deleted"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened (`kind`) and its facts (`data`, JSON values only)."""

    kind: str
    data: dict[str, Any]


def status(message: str) -> Event:
    return Event("status", {"message": storable_text(message)})


def output(stream: Literal["text", "reasoning", "stdout", "stderr"], content: str) -> Event:
    return Event("output", {"type": stream, "content": storable_text(content)})


def tool_use(*, tool: str, args: Mapping[str, Any], call_id: str, title: str) -> Event:
    data = {"tool": tool, "args": storable(dict(args)), "call_id": call_id, "title": storable_text(title)}
    return Event("tool_use", data)


def tool_result(*, call_id: str, tool: str, succeeded: bool, result: str) -> Event:
    outcome = "completed" if succeeded else "failed"
    return Event("tool_result", {"call_id": call_id, "tool": tool, "status": outcome, "output": storable_text(result)})


def file_change(*, action: Action, path: str, diff: str | None) -> Event:
    """`path` is relative to the working tree with forward slashes; `diff` is unified, or None if unknown."""
    data: dict[str, Any] = {"action": action, "path": storable_text(path)}
    if diff:
        data["diff"] = storable_text(diff)
    return Event("file_change", data)


def artifact(
    *, artifact_id: str, parts: Sequence[Mapping[str, Any]], name: str = "", append: bool = False, last: bool = True
) -> Event:
    """Something that the work has made. Each part holds one of `text`, `data`, `url` and `file_id` (a file that was
    sent before), and may say its `media_type` and `filename`.

    `append` adds to the artifact of the same id; `last` is false while more of it will come.
    """
    data: dict[str, Any] = {"artifact_id": artifact_id, "parts": storable([dict(part) for part in parts])}
    if name:
        data["name"] = storable_text(name)
    return Event("artifact", {**data, "append": append, "last_chunk": last})


def usage(totals: Mapping[str, Any]) -> Event:
    """Totals of this attempt so far, not a difference."""
    return Event("usage", dict(totals))


def session(*, session_id: str, agent: str) -> Event:
    return Event("session", {"session_id": session_id, "agent": agent})


def input_required(*, question: str, options: Sequence[Mapping[str, str]], call_id: str, diff: str = "") -> Event:
    """`diff` is the change that is asked for, if it is one."""
    data = {"question": storable_text(question), "options": [dict(o) for o in options], "call_id": call_id}
    return Event("input_required", data | ({"diff": storable_text(diff)} if diff else {}))
