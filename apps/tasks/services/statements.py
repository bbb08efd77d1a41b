"""The hot statements, by hand: create, append and claim, each one statement and one round trip.

`append` is the only way a task changes after its creation: a guarded UPDATE whose row count decides, the events it
numbers under the row's lock, and the outbox rows, all in one statement. They run as server-side prepared statements
on Django's own connection, so they join whatever transaction is open.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from apps.core.prepared import execute
from apps.tasks.events import MOVES, STEERING, Event
from apps.tasks.models import AGEING_SECONDS_PER_PRIORITY, Task
from apps.tasks.rows import JSON_COLUMNS, MADE_THERE, SELECTED, as_json, as_new_task, as_task
from apps.tasks.states import State

POSITION = "pg_current_xact_id()::text::bigint"


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


_LOGGED = f"""
logged AS (
    INSERT INTO tasks_taskevent (task_id, seq, workspace_id, position, kind, data, created_at)
    SELECT m.id, m.base + f.n, m.workspace_id, m.position, f.kind, f.data::jsonb, clock_timestamp()
    FROM moved m, fresh f
), posted AS (
    INSERT INTO tasks_outboxentry (workspace_id, task_id, seq, kind, created_at)
    SELECT m.workspace_id, m.id, m.base + f.n, f.kind, clock_timestamp()
    FROM moved m, fresh f WHERE f.kind IN ({", ".join(f"'{kind}'" for kind in sorted(MOVES))})
)"""


def append(
    *,
    task_id: uuid.UUID,
    guard: Guard,
    events: Sequence[Event],
    changes: Mapping[str, Any],
    seqs: Sequence[int] = (),
) -> Task | None:
    """Write `events` and `changes` if the guard holds; the row as it is then, or None (and nothing has changed).

    `seqs`, where given, are the client's own numbers of the events: those up to the row's `client_seq` were written
    before and are left out, so that a batch sent twice counts once.
    """
    params: dict[str, Any] = {
        "id": task_id,
        "states": [str(state) for state in sorted(guard.states)],
        "events": _recordset(events, seqs),
        "client_seq": max(seqs, default=0),
    }
    sql = f"""
WITH held AS (
    SELECT t.id, t.client_seq FROM tasks_task t
    WHERE t.id = %(id)s AND t.state = ANY(%(states)s::text[]){_conditions(guard, params)}
    FOR NO KEY UPDATE
), fresh AS (
    SELECT e.kind, e.data, row_number() OVER (ORDER BY e.n) AS n
    FROM held, ROWS FROM (json_to_recordset(%(events)s::json) AS (kind text, data jsonb, seq bigint))
        WITH ORDINALITY e(kind, data, seq, n)
    WHERE e.seq IS NULL OR e.seq > held.client_seq
), moved AS (
    UPDATE tasks_task t SET
        last_seq = t.last_seq + (SELECT count(*) FROM fresh),
        client_seq = GREATEST(t.client_seq, %(client_seq)s),
        position = GREATEST(t.position, {POSITION}),
        updated_at = clock_timestamp(){_steering(events)}{_assignments(changes, params)}
    FROM held WHERE t.id = held.id
    RETURNING t.*, t.last_seq - (SELECT count(*) FROM fresh) AS base
), {_LOGGED}
SELECT {SELECTED} FROM moved t"""
    return next((as_task(row) for row in execute(sql, params)), None)


def _recordset(events: Sequence[Event], seqs: Sequence[int]) -> str:
    """Events and the client's numbers for them, as one JSON parameter."""
    return as_json([{"kind": event.kind, "data": event.data, "seq": seq} for event, seq in zip_longest(events, seqs)])


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


def _steering(events: Sequence[Event]) -> str:
    """Remember where the holder has something to hear, so that heartbeats need not search the log."""
    if not any(event.kind in STEERING for event in events):
        return ""
    return ", last_steering_seq = t.last_seq + (SELECT count(*) FROM fresh)"


def _assignments(changes: Mapping[str, Any], params: dict[str, Any]) -> str:
    text = ""
    for name, value in changes.items():
        if isinstance(value, Sql):
            params.update(value.params)
            text += f", {name} = {value.text}"
        else:
            params[f"set_{name}"] = as_json(value) if name in JSON_COLUMNS else value
            text += f", {name} = %(set_{name})s"
    return text


def insert(*, values: Mapping[str, Any], event: Event) -> Task | None:
    """Make a task with its first event and outbox row; None where its idempotency key is taken already."""
    names = ", ".join(values)
    params = {name: as_json(value) if name in JSON_COLUMNS else value for name, value in values.items()}
    params |= {"kind": event.kind, "data": as_json(event.data)}
    sql = f"""
WITH moved AS (
    INSERT INTO tasks_task AS t ({names}, state, last_seq, last_steering_seq, heard_seq, position, attempt, declined_by,
        worker_id, claim_seq, client_seq, result, error, error_code, usage, created_at, updated_at, rank)
    VALUES ({", ".join(f"%({name})s" for name in values)}, 'pending', 1, 0, 0, {POSITION}, 0, '{{}}', '', 0, 0,
        '', '', '', '{{}}', clock_timestamp(), clock_timestamp(),
        extract(epoch FROM clock_timestamp()) - %(priority)s::int * {AGEING_SECONDS_PER_PRIORITY})
    ON CONFLICT (workspace_id, idempotency_key) DO NOTHING
    RETURNING t.*, 0::bigint AS base
), fresh AS (SELECT %(kind)s::text AS kind, %(data)s::text AS data, 1::bigint AS n), {_LOGGED}
SELECT {", ".join(f"t.{name}" for name in MADE_THERE)} FROM moved t"""
    rows = execute(sql, params)
    return as_new_task(values, rows[0]) if rows else None


@dataclass(frozen=True, slots=True)
class Claimer:
    """What a worker may take: the queues it serves, and what it can do. All lists are exact names."""

    workspace_id: uuid.UUID
    worker_id: str
    queues: Sequence[str]
    capabilities: Sequence[str] = ()
    models: Sequence[str] = ()
    roles: Sequence[str] = ()


CLAIMABLE = """
    t.state = 'pending' AND t.workspace_id = %(workspace_id)s
    AND t.available_at <= clock_timestamp() AND (t.deadline_at IS NULL OR t.deadline_at > clock_timestamp())
    AND t.requires <@ %(capabilities)s::text[]
    AND (t.model = '' OR t.model = ANY(%(models)s::text[]))
    AND (t.target_agent = '' OR t.target_agent = ANY(%(roles)s::text[]))
    AND NOT (%(worker_id)s = ANY(t.declined_by))"""
"""Whether the worker of the parameters may have task `t` now; the queue is matched by the index."""

_CLAIMED = f"""
), moved AS (
    UPDATE tasks_task t SET
        state = 'running', attempt = t.attempt + 1, claim_token = gen_random_uuid(), worker_id = %(worker_id)s,
        lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        started_at = COALESCE(t.started_at, clock_timestamp()), updated_at = clock_timestamp(),
        last_seq = t.last_seq + 1, claim_seq = t.last_seq + 1, client_seq = 0,
        position = GREATEST(t.position, {POSITION})
    FROM chosen WHERE t.id = chosen.id
    RETURNING t.*, t.last_seq - 1 AS base
), fresh AS (
    SELECT m.id, 'claimed'::text AS kind, 1::bigint AS n,
        jsonb_build_object('worker_id', m.worker_id, 'attempt', m.attempt) AS data
    FROM moved m
), {_LOGGED.replace("FROM moved m, fresh f", "FROM moved m JOIN fresh f ON f.id = m.id")}
SELECT {SELECTED} FROM moved t ORDER BY t.rank, t.id"""

_CLAIM_BEST = f"""
WITH chosen AS (
    SELECT best.id FROM unnest(%(queues)s::text[]) AS q(queue)
    CROSS JOIN LATERAL (
        SELECT t.id, t.rank FROM tasks_task t WHERE t.queue = q.queue AND {CLAIMABLE}
        ORDER BY t.rank, t.id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    ) best
    ORDER BY best.rank, best.id LIMIT %(limit)s
{_CLAIMED}"""

_CLAIM_ONE = f"""
WITH chosen AS (
    SELECT t.id FROM tasks_task t
    WHERE t.id = %(task_id)s AND t.queue = ANY(%(queues)s::text[]) AND {CLAIMABLE}
    FOR NO KEY UPDATE SKIP LOCKED
{_CLAIMED}"""


def claim(*, claimer: Claimer, lease_seconds: float, limit: int = 1, task_id: uuid.UUID | None = None) -> list[Task]:
    """Take up to `limit` claimable tasks, best first (or just `task_id`), each with a token of its own."""
    params = claimer_params(claimer) | {"lease_seconds": float(lease_seconds)}
    if task_id is not None:
        rows = execute(_CLAIM_ONE, params | {"task_id": task_id})
    else:
        rows = execute(_CLAIM_BEST, params | {"limit": limit})
    return [as_task(row) for row in rows]


def claimer_params(claimer: Claimer) -> dict[str, Any]:
    """The parameters that CLAIMABLE and the queue match need."""
    return {
        "workspace_id": claimer.workspace_id,
        "worker_id": claimer.worker_id,
        "queues": list(claimer.queues),
        "capabilities": list(claimer.capabilities),
        "models": list(claimer.models),
        "roles": list(claimer.roles),
    }


_RENEW = """
UPDATE tasks_task t SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
    heard_seq = GREATEST(t.heard_seq, LEAST(held.heard, t.last_steering_seq))
FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(heard)s::bigint[]) AS held(id, token, heard)
WHERE t.id = held.id AND t.claim_token = held.token AND t.workspace_id = %(workspace_id)s
  AND t.lease_expires_at IS NOT NULL AND t.state IN ('running', 'input_required', 'auth_required')
RETURNING t.id, t.lease_expires_at, t.last_steering_seq"""


def renew(
    *,
    workspace_id: uuid.UUID,
    claims: Mapping[uuid.UUID, uuid.UUID],
    heard: Mapping[uuid.UUID, int],
    lease_seconds: float,
) -> list[tuple[Any, ...]]:
    """Extend the leases of `claims` (task id → token) that still hold, and note what their holders have `heard`.

    Rows of (id, lease_expires_at, last steering seq).
    """
    params = {
        "workspace_id": workspace_id,
        "ids": list(claims),
        "tokens": list(claims.values()),
        "heard": [heard.get(task_id, 0) for task_id in claims],
        "lease_seconds": float(lease_seconds),
    }
    return execute(_RENEW, params)


_PEEK_BEST = f"""
SELECT {SELECTED} FROM tasks_task t JOIN (
    SELECT best.id FROM unnest(%(queues)s::text[]) AS q(queue)
    CROSS JOIN LATERAL (
        SELECT t.id, t.rank FROM tasks_task t WHERE t.queue = q.queue AND {CLAIMABLE}
        ORDER BY t.rank, t.id LIMIT %(limit)s
    ) best
    ORDER BY best.rank, best.id LIMIT %(limit)s
) chosen ON chosen.id = t.id ORDER BY t.rank, t.id"""

_PEEK_AMONG = f"""
SELECT {SELECTED} FROM tasks_task t
WHERE t.id = ANY(%(among)s::uuid[]) AND t.queue = ANY(%(queues)s::text[]) AND {CLAIMABLE}
ORDER BY t.rank, t.id LIMIT %(limit)s"""


def peek(*, claimer: Claimer, among: Sequence[uuid.UUID] | None, limit: int) -> list[Task]:
    """What `claim` would find now (of `among`, where given), without taking it."""
    params = claimer_params(claimer) | {"limit": limit}
    if among is None:
        rows = execute(_PEEK_BEST, params)
    else:
        rows = execute(_PEEK_AMONG, params | {"among": list(among)})
    return [as_task(row) for row in rows]
