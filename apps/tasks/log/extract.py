"""Some kinds of a task's events, wherever they stand in its log: for views that are made of few of them."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import orjson

from apps.core.prepared import execute
from apps.tasks.log.entries import LogEvent

_KINDS = """
SELECT task_id, seq, position, kind, data::text, created_at FROM tasks_taskevent
WHERE task_id = %(task_id)s AND kind = ANY(%(kinds)s::text[]) ORDER BY seq"""


_KINDS_OF = _KINDS.replace("task_id = %(task_id)s", "task_id = ANY(%(task_ids)s::uuid[])").replace(
    "ORDER BY seq", "ORDER BY task_id, seq"
)


def read_kinds_of(task_ids: Sequence[uuid.UUID], kinds: Collection[str]) -> dict[uuid.UUID, list[LogEvent]]:
    """The same of several tasks at once; those that have no such events are not in the answer."""
    found: dict[uuid.UUID, list[LogEvent]] = {}
    if task_ids:
        for row in execute(_KINDS_OF, {"task_ids": list(task_ids), "kinds": list(kinds)}):
            found.setdefault(row[0], []).append(_line(row))
    return found


def read_kinds(task_id: uuid.UUID, kinds: Collection[str]) -> list[LogEvent]:
    """All events of these kinds, in order; the caller has checked that the task may be read."""
    return [_line(row) for row in execute(_KINDS, {"task_id": task_id, "kinds": list(kinds)})]


def _line(row: tuple[Any, ...]) -> LogEvent:
    task_id, seq, position, kind, data, created_at = row
    return LogEvent(task_id, seq, position, kind, orjson.loads(data), created_at)
