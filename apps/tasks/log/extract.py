"""Some kinds of a task's events, wherever they stand in its log: for views that are made of few of them."""

import uuid
from collections.abc import Collection

import orjson

from apps.core.prepared import execute
from apps.tasks.log.entries import LogEvent

_KINDS = """
SELECT task_id, seq, position, kind, data::text, created_at FROM tasks_taskevent
WHERE task_id = %(task_id)s AND kind = ANY(%(kinds)s::text[]) ORDER BY seq"""


def read_kinds(task_id: uuid.UUID, kinds: Collection[str]) -> list[LogEvent]:
    """All events of these kinds, in order; the caller has checked that the task may be read."""
    rows = execute(_KINDS, {"task_id": task_id, "kinds": list(kinds)})
    return [
        LogEvent(of_task, seq, position, kind, orjson.loads(data), created_at)
        for of_task, seq, position, kind, data, created_at in rows
    ]
