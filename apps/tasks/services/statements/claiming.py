"""The claim by hand: which tasks a worker may have, and taking the best of them, in one statement.

Limits and pauses are rows of their own (`QueueLimit`). Those that the statement's snapshot shows shut are left out of
the choice; whether a task may pass the others is decided under their locks, so concurrent claims never overfill one.
Locks are always taken in the same order, tasks before limits and limits by id, and tasks that another claim has
locked are passed over.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.prepared import execute
from apps.tasks.models import Task
from apps.tasks.rows import SELECTED, as_task
from apps.tasks.services.statements.writing import MOVED_NOW, POSITION


@dataclass(frozen=True, slots=True)
class Claimer:
    """What a worker may take: the queues it serves, and what it can do. All lists are exact names.

    `only_targeted`: nothing but tasks that ask for one of its roles by name.
    """

    workspace_id: uuid.UUID
    worker_id: str
    queues: Sequence[str]
    capabilities: Sequence[str] = ()
    models: Sequence[str] = ()
    roles: Sequence[str] = ()
    only_targeted: bool = False

    def params(self) -> dict[str, Any]:
        """The parameters that the statements below need."""
        return {
            "workspace_id": self.workspace_id,
            "worker_id": self.worker_id,
            "queues": list(self.queues),
            "capabilities": list(self.capabilities),
            "models": list(self.models),
            "roles": list(self.roles),
            "only_targeted": self.only_targeted,
        }


_LIMITS = """
WITH bounds AS MATERIALIZED (
    SELECT l.id, l.kind, l.key, l.paused_at IS NOT NULL OR COALESCE(l.held >= l.most, false) AS shut
    FROM tasks_queuelimit l
    WHERE l.workspace_id = %(workspace_id)s AND (l.kind <> 'worker' OR l.key = %(worker_id)s)
), shut AS MATERIALIZED (SELECT kind, key FROM bounds WHERE shut)"""
"""The limits that may bear on this worker's claim, and those of them that let nothing pass now."""

_OPEN_QUEUE = """
    NOT EXISTS (SELECT FROM shut WHERE shut.kind IN ('workspace', 'worker')
        OR shut.kind = 'codebase' AND shut.key = q.queue)"""

CLAIMABLE = """
    t.state = 'pending' AND t.workspace_id = %(workspace_id)s
    AND t.available_at <= clock_timestamp() AND (t.deadline_at IS NULL OR t.deadline_at > clock_timestamp())
    AND t.requires <@ %(capabilities)s::text[]
    AND (t.model = '' OR t.model = ANY(%(models)s::text[]))
    AND (t.target_agent = '' AND NOT %(only_targeted)s::boolean OR t.target_agent = ANY(%(roles)s::text[]))
    AND NOT (%(worker_id)s = ANY(t.declined_by))
    AND (t.concurrency_key = ''
        OR t.concurrency_key NOT IN (SELECT shut.key FROM shut WHERE shut.kind = 'key'))"""
"""Whether the worker of the parameters may have task `t` now; the queue is matched by the index."""

_BEST = f"""
    SELECT best.id, best.rank, q.queue, best.concurrency_key FROM unnest(%(queues)s::text[]) AS q(queue)
    CROSS JOIN LATERAL (
        SELECT t.id, t.rank, t.concurrency_key FROM tasks_task t WHERE t.queue = q.queue AND {CLAIMABLE}
        ORDER BY t.rank, t.id LIMIT %(limit)s{{locked}}
    ) best
    WHERE {_OPEN_QUEUE}
    ORDER BY best.rank, best.id LIMIT %(limit)s"""

_AMONG = f"""
    SELECT t.id, t.rank, q.queue, t.concurrency_key FROM unnest(%(queues)s::text[]) AS q(queue)
    JOIN tasks_task t ON t.queue = q.queue
    WHERE t.id = ANY(%(among)s::uuid[]) AND {CLAIMABLE} AND {_OPEN_QUEUE}
    ORDER BY t.rank, t.id LIMIT %(limit)s{{locked}}"""

_PASSED_OVER = " FOR NO KEY UPDATE OF t SKIP LOCKED"

_CLAIMED = f"""
), needed AS (
    SELECT c.id, b.id AS limit_id, row_number() OVER (PARTITION BY b.id ORDER BY c.rank, c.id) AS nth
    FROM bounds b JOIN chosen c ON b.kind IN ('workspace', 'worker')
        OR b.kind = 'codebase' AND b.key = c.queue
        OR b.kind = 'key' AND b.key = c.concurrency_key AND c.concurrency_key <> ''
), places AS (
    SELECT l.id, CASE WHEN l.paused_at IS NULL THEN l.most - l.held ELSE 0 END AS free FROM tasks_queuelimit l
    WHERE l.id IN (SELECT limit_id FROM needed) ORDER BY l.id FOR NO KEY UPDATE
), granted AS (
    SELECT c.id, ARRAY(
        SELECT n.limit_id FROM needed n JOIN places p ON p.id = n.limit_id WHERE n.id = c.id) AS limit_ids
    FROM chosen c
    WHERE NOT EXISTS (SELECT FROM needed n JOIN places p ON p.id = n.limit_id WHERE n.id = c.id AND n.nth > p.free)
), counted AS (
    UPDATE tasks_queuelimit l SET held = l.held + n.number
    FROM (SELECT unnest(limit_ids) AS limit_id, count(*) AS number FROM granted GROUP BY 1) n
    WHERE l.id = n.limit_id
), moved AS (
    UPDATE tasks_task t SET
        state = 'running', attempt = t.attempt + 1, claim_token = gen_random_uuid(), worker_id = %(worker_id)s,
        lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
        started_at = COALESCE(t.started_at, clock_timestamp()), {MOVED_NOW},
        last_seq = t.last_seq + 1, claim_seq = t.last_seq + 1, client_seq = 0, limit_ids = granted.limit_ids,
        position = GREATEST(t.position, {POSITION})
    FROM granted WHERE t.id = granted.id
    RETURNING t.*
), logged AS (
    INSERT INTO tasks_taskevent (task_id, seq, workspace_id, position, kind, data, created_at)
    SELECT m.id, m.last_seq, m.workspace_id, m.position, 'claimed',
        jsonb_build_object('worker_id', m.worker_id, 'attempt', m.attempt), m.updated_at
    FROM moved m
), posted AS (
    INSERT INTO tasks_outboxentry (workspace_id, task_id, seq, kind, created_at)
    SELECT m.workspace_id, m.id, m.last_seq, 'claimed', m.updated_at FROM moved m
)
SELECT {SELECTED} FROM moved t ORDER BY t.rank, t.id"""

_CLAIM_BEST = f"{_LIMITS}, chosen AS ({_BEST.format(locked=_PASSED_OVER)}\n{_CLAIMED}"
_CLAIM_AMONG = f"{_LIMITS}, chosen AS ({_AMONG.format(locked=_PASSED_OVER)}\n{_CLAIMED}"


def claim(*, claimer: Claimer, lease_seconds: float, limit: int = 1, task_id: uuid.UUID | None = None) -> list[Task]:
    """Take up to `limit` claimable tasks, best first (or just `task_id`), each with a token of its own."""
    params = claimer.params() | {"lease_seconds": float(lease_seconds), "limit": limit}
    if task_id is None:
        rows = execute(_CLAIM_BEST, params)
    else:
        rows = execute(_CLAIM_AMONG, params | {"among": [task_id]})
    return [as_task(row) for row in rows]


def _peek(chosen: str) -> str:
    chosen = chosen.format(locked="")
    return f"{_LIMITS}\nSELECT {SELECTED} FROM ({chosen}) c JOIN tasks_task t ON t.id = c.id ORDER BY t.rank, t.id"


_PEEK_BEST, _PEEK_AMONG = _peek(_BEST), _peek(_AMONG)


def peek(*, claimer: Claimer, among: Sequence[uuid.UUID] | None, limit: int) -> list[Task]:
    """What `claim` would find now (of `among`, where given), without taking it."""
    params = claimer.params() | {"limit": limit}
    if among is None:
        rows = execute(_PEEK_BEST, params)
    else:
        rows = execute(_PEEK_AMONG, params | {"among": list(among)})
    return [as_task(row) for row in rows]


_RENEW = """
WITH held AS (
    SELECT t.id, shown.heard
    FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(heard)s::bigint[]) AS shown(id, token, heard)
    JOIN tasks_task t ON t.id = shown.id AND t.claim_token = shown.token AND t.workspace_id = %(workspace_id)s
    WHERE t.lease_expires_at IS NOT NULL AND t.state IN ('running', 'input_required', 'auth_required')
    ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s),
    heard_seq = GREATEST(t.heard_seq, LEAST(held.heard, t.last_steering_seq))
FROM held WHERE t.id = held.id
RETURNING t.id, t.lease_expires_at, t.last_steering_seq"""
"""Rows are locked by id: others that lock several tasks do so too, so that none waits for another in a ring."""


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
