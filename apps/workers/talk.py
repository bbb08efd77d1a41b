"""What was said in a conversation: by people, and by the agents of its tasks."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apps.tasks.log import LogEvent
from apps.tasks.log.extract import read_kinds, read_kinds_of
from apps.tasks.selectors import is_terminal

if TYPE_CHECKING:
    from apps.tasks.models import Task

CONTENT_LIMIT = 20_000
"""Characters of a message; what is longer is cut, and says so."""
_USER, _AGENT = "user", "agent"
_WORDS: Mapping[str, tuple[str, str, str]] = {
    "created": ("request", _USER, "prompt"),
    "message": ("message", _USER, "message"),
    "answered": ("answer", _USER, "message"),
    "asked": ("question", _AGENT, "question"),
    "completed": ("result", _AGENT, "result"),
    "failed": ("error", _AGENT, "error"),
    "rejected": ("error", _AGENT, "reason"),
}
"""Of each kind of event that tells words: what they are, whose they are, and where they stand."""


def spoken(task: "Task") -> str:
    """What the agent of a task has said in its last attempt."""
    said: list[str] = []
    for line in read_kinds(task.id, {"claimed", "output"}):
        if line.kind == "claimed":
            said.clear()
        elif line.data.get("type", "text") == "text":
            said.append(line.data["content"])
    return "".join(said)


def messages_of(tasks: Sequence["Task"]) -> list[dict[str, Any]]:
    """What was said in these tasks, task by task, each from its beginning: `{id, task_id, role, kind, content, cut, by,
    created_at}`. What an agent says while it works is its task's output; here stands what it ended with."""
    lines = read_kinds_of([task.id for task in tasks], list(_WORDS))
    return [message for task in tasks for message in _of_task(task, lines)]


def _of_task(task: "Task", lines: Mapping[uuid.UUID, Sequence[LogEvent]]) -> Iterator[dict[str, Any]]:
    for line in lines.get(task.id, ()):
        kind, role, name = _WORDS[line.kind]
        content = line.data.get(name) or (spoken(task) if line.kind == "completed" and is_terminal(task) else "")
        if content.strip():
            yield {
                "id": f"{task.id}:{line.seq}",
                "task_id": str(task.id),
                "role": role,
                "kind": kind,
                "content": content[:CONTENT_LIMIT],
                "cut": len(content) > CONTENT_LIMIT,
                "by": line.data.get("by") or line.data.get("created_by") or task.worker_id or None,
                "created_at": line.created_at,
            }
