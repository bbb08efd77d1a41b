"""Create and append.

`append` is the only way a task changes after its creation, but for claims: a guarded UPDATE whose row count decides,
the events it numbers under the row's lock, and the outbox rows, all in one statement.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.prepared import execute
from apps.tasks.events import POSTED, STEERING, Event
from apps.tasks.models import AGEING_SECONDS_PER_PRIORITY, Task
from apps.tasks.rows import (
    COLUMNS,
    JSON_COLUMNS,
    LIGHT_COLUMNS,
    MADE_THERE,
    SELECTED,
    SELECTED_LIGHT,
    as_json,
    as_new_task,
    as_task,
)
from apps.tasks.states import State

POSITION = "pg_current_xact_id()::text::bigint"


MOVED_NOW = "(updated_at, moved_at) = (SELECT at, at FROM (SELECT clock_timestamp() AS at OFFSET 0) now)"
"""A change of state has one time, in the row and in the log; by the clock once the row is locked."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be true of the row, under its lock, for a write to count. None of these is checked beforehand."""

    states: frozenset[State]
    workspace_id: uuid.UUID | None = None
    claim_token: uuid.UUID | None = None
    worker_id: str | None = None
    lease_expired: bool = False
    deadline_passed: bool = False
    attempts_left: bool = False
    leased: bool | None = None


@dataclass(frozen=True, slots=True)
class Sql:
    """A column's new value as an SQL expression (over the row `t`), with its parameters."""

    text: str
    params: Mapping[str, Any]


_EVENTS = """
logged AS (
    INSERT INTO tasks_taskevent (task_id, seq, workspace_id, position, kind, data, created_at)
    SELECT m.id, m.base + f.n, m.workspace_id, m.position, f.kind, f.data::jsonb, m.updated_at
    FROM moved m, fresh f
)"""

_OUTBOX = f""", posted AS (
    INSERT INTO tasks_outboxentry (workspace_id, task_id, seq, kind, created_at)
    SELECT m.workspace_id, m.id, m.base + f.n, f.kind, m.updated_at
    FROM moved m, fresh f WHERE f.kind IN ({", ".join(f"'{kind}'" for kind in sorted(POSTED))})
)"""

LOGGED = _EVENTS + _OUTBOX
"""The events `fresh` of the task `moved`, numbered from its `base` on, and what of them others must hear of."""


def append(
    *,
    task_id: uuid.UUID,
    guard: Guard,
    events: Sequence[Event],
    changes: Mapping[str, Any],
    seqs: Sequence[int] = (),
    light: bool = False,
) -> Task | None:
    """Write `events` and `changes` if the guard holds; the row as it is then, or None (and nothing has changed).

    `seqs`, where given, are the client's own numbers of the events: those up to the row's `client_seq` were written
    before and are left out, so that a batch sent twice counts once. `light`: the row without its long texts.
    """
    params: dict[str, Any] = {
        "id": task_id,
        "states": [str(state) for state in sorted(guard.states)],
        "kinds": [event.kind for event in events],
        "datas": [as_json(event.data) for event in events],
        "number": len(events),
        "seqs": list(seqs),
        "client_seq": max(seqs, default=0),
    }
    sql = _APPEND.format(
        conditions=_conditions(guard, params),
        times=MOVED_NOW if "state" in changes else "updated_at = clock_timestamp()",
        steering=_STEERING if any(event.kind in STEERING for event in events) else "",
        assignments=_assignments(changes, params),
        outbox=_OUTBOX if any(event.kind in POSTED for event in events) else "",
        let_go=_LET_GO if _lets_go(changes) else "",
        selected=SELECTED_LIGHT if light else SELECTED,
    )
    for *row, counted_by in execute(sql, params):
        task = as_task(row, LIGHT_COLUMNS if light else COLUMNS)
        task.given_back = counted_by if _lets_go(changes) else ()
        return task
    return None


_APPEND = f"""
WITH held AS (
    SELECT t.id, t.client_seq, t.limit_ids FROM tasks_task t
    WHERE t.id = %(id)s AND t.state = ANY(%(states)s::text[]){{conditions}}
    FOR NO KEY UPDATE
), known AS (
    SELECT held.id, (SELECT count(*) FROM unnest(%(seqs)s::bigint[]) seq WHERE seq <= held.client_seq) AS number
    FROM held
), fresh AS (
    SELECT e.kind, e.data, e.n - known.number AS n
    FROM known, unnest(%(kinds)s::text[], %(datas)s::jsonb[]) WITH ORDINALITY e(kind, data, n)
    WHERE e.n > known.number
), moved AS (
    UPDATE tasks_task t SET
        last_seq = t.last_seq + %(number)s::int - known.number,
        client_seq = GREATEST(t.client_seq, %(client_seq)s),
        position = GREATEST(t.position, {POSITION}),
        {{times}}{{steering}}{{assignments}}
    FROM known WHERE t.id = known.id
    RETURNING t.*, t.last_seq - %(number)s::int + known.number AS base
), {_EVENTS}{{outbox}}{{let_go}}
SELECT {{selected}}, (SELECT limit_ids FROM held) FROM moved t"""

_STEERING = ", last_steering_seq = t.last_seq + %(number)s::int - known.number"
"""Remember where the holder has something to hear, so that heartbeats need not search the log."""

_LET_GO = """, places AS (
    SELECT l.id FROM tasks_queuelimit l, moved m
    WHERE l.id = ANY(ARRAY(SELECT unnest(held.limit_ids) FROM held)) ORDER BY l.id FOR NO KEY UPDATE OF l
), freed AS (
    UPDATE tasks_queuelimit l SET held = l.held - 1 FROM places WHERE l.id = places.id
)"""
"""Whoever gives up the lease gives back its place under each limit that its claim was counted by."""


def _lets_go(changes: Mapping[str, Any]) -> bool:
    """The services only ever write an end into the lease: claims and renewals are statements of their own."""
    return "lease_expires_at" in changes


def _conditions(guard: Guard, params: dict[str, Any]) -> str:
    text = ""
    for name in ("workspace_id", "claim_token", "worker_id"):
        value = getattr(guard, name)
        if value is not None:
            params[f"guard_{name}"] = value
            text += f" AND t.{name} = %(guard_{name})s"
    if guard.lease_expired:
        text += " AND t.lease_expires_at < clock_timestamp()"
    if guard.deadline_passed:
        text += " AND t.deadline_at < clock_timestamp()"
    if guard.attempts_left:
        text += " AND t.attempt < t.max_attempts"
    if guard.leased is not None:
        text += f" AND t.lease_expires_at IS {'NOT NULL' if guard.leased else 'NULL'}"
    return text


def _assignments(changes: Mapping[str, Any], params: dict[str, Any]) -> str:
    text = ""
    for name, value in changes.items():
        if isinstance(value, Sql):
            params.update(value.params)
            text += f", {name} = {value.text}"
        else:
            params[f"set_{name}"] = as_json(value) if name in JSON_COLUMNS else value
            text += f", {name} = %(set_{name})s"
    return text + (", limit_ids = '{}'" if _lets_go(changes) else "")


def insert(*, values: Mapping[str, Any], event: Event, deadline_seconds: float | None = None) -> Task | None:
    """Make a task with its first event and outbox row; None where its idempotency key is taken, or its codebase gone.

    The codebase is looked at under a lock that its removal waits for, so that no task is left in a removed one.
    Its times are the database's, as its leases are: a caller's clock that is ahead would hide the task for as long.
    """
    names = ", ".join(values)
    params = {name: as_json(value) if name in JSON_COLUMNS else value for name, value in values.items()}
    params |= {"kind": event.kind, "data": as_json(event.data), "deadline_seconds": deadline_seconds}
    sql = f"""
WITH place AS (
    SELECT c.id FROM codebases_codebase c
    WHERE c.id = %(codebase_id)s::text AND c.workspace_id = %(workspace_id)s AND c.status <> 'removed' FOR SHARE
), moved AS (
    INSERT INTO tasks_task AS t ({names}, state, last_seq, last_steering_seq, heard_seq, position, attempt, declined_by,
        limit_ids, worker_id, claim_seq, client_seq, result, error, error_code, usage, created_at, updated_at,
        moved_at, available_at, deadline_at, rank)
    SELECT {", ".join(f"%({name})s" for name in values)}, 'pending', 1, 0, 0, {POSITION}, 0, '{{}}', '{{}}', '', 0, 0,
        '', '', '', '{{}}', clock_timestamp(), clock_timestamp(),
        clock_timestamp(), clock_timestamp(), clock_timestamp() + make_interval(secs => %(deadline_seconds)s::float8),
        extract(epoch FROM clock_timestamp()) - %(priority)s::int * {AGEING_SECONDS_PER_PRIORITY}
    WHERE %(codebase_id)s::text IS NULL OR EXISTS (SELECT FROM place)
    ON CONFLICT (workspace_id, idempotency_key) DO NOTHING
    RETURNING t.*, 0::bigint AS base
), fresh AS (SELECT %(kind)s::text AS kind, %(data)s::text AS data, 1::bigint AS n), {LOGGED}
SELECT {", ".join(f"t.{name}" for name in MADE_THERE)} FROM moved t"""
    rows = execute(sql, params)
    return as_new_task(values, rows[0]) if rows else None
