"""Some kinds of a task's events, wherever they stand in its log: for views that are made of few of them."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import orjson

from apps.core.prepared import execute
from apps.tasks.log.entries import LogEvent
from apps.tasks.models import Task
from apps.tasks.rows import SELECTED, as_task
from apps.tasks.states import TERMINAL

OUTPUT = "output"
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


_ENDED = ", ".join(f"'{state}'" for state in sorted(TERMINAL))
_IS_FULL = f"NOT (t.result <> '' AND t.state IN ({_ENDED}))"
_WITH_EVENTS = f"""
SELECT {SELECTED}, told.events, CASE WHEN t.last_seq > 1 AND %(with_speech)s AND {_IS_FULL} THEN (
    SELECT string_agg(e.data->>'content', '' ORDER BY e.seq) FROM tasks_taskevent e
    WHERE e.task_id = t.id AND e.kind = 'output' AND COALESCE(e.data->>'type', 'text') = 'text' AND e.seq > COALESCE(
        (SELECT max(c.seq) FROM tasks_taskevent c WHERE c.task_id = t.id AND c.kind = 'claimed'), 0)
) END AS speech FROM unnest(%(workspaces)s::uuid[], %(ids)s::uuid[]) AS named(workspace_id, id)
JOIN tasks_task t ON t.id = named.id AND t.workspace_id = named.workspace_id
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(e.seq, e.position, e.kind, e.data, e.created_at) ORDER BY e.seq)::text AS events
    FROM tasks_taskevent e WHERE e.task_id = t.id AND t.last_seq > 1 AND e.kind = ANY(
        CASE WHEN {_IS_FULL} THEN %(kinds)s ELSE %(kinds_of_result)s END::text[])
) told"""


def tasks_with_events(
    named: Collection[tuple[uuid.UUID, uuid.UUID]], *, kinds: Collection[str], kinds_of_result: Collection[str]
) -> list[tuple[Task, list[LogEvent]]]:
    """The tasks that there are of (workspace, task), each with its events of these kinds: in one round trip.

    `kinds_of_result`: of one that has ended with a result. What the agent has said in its present attempt (`output` of
    type text) comes as one event at the end, joined in the database: an agent may say a word in each of 50,000.
    """
    places = {"workspaces": [str(one) for one, _ in named], "ids": [str(one) for _, one in named]}
    words = {"kinds": [kind for kind in kinds if kind != OUTPUT], "kinds_of_result": list(kinds_of_result)}
    found = []
    for *values, events, speech in execute(_WITH_EVENTS, places | words | {"with_speech": OUTPUT in kinds}):
        task = as_task(values)
        lines = [_told(task.id, *event) for event in orjson.loads(events or "[]")]
        if speech:
            lines.append(LogEvent(task.id, task.last_seq, 0, OUTPUT, {"content": speech}, task.updated_at))
        found.append((task, lines))
    return found


def _told(task_id: uuid.UUID, seq: int, position: int, kind: str, data: dict[str, Any], created_at: str) -> LogEvent:
    return LogEvent(task_id, seq, position, kind, data, datetime.fromisoformat(created_at))


def _line(row: tuple[Any, ...]) -> LogEvent:
    task_id, seq, position, kind, data, created_at = row
    return LogEvent(task_id, seq, position, kind, orjson.loads(data), created_at)
