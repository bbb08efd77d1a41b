"""What a run has left: the database read by plain SQL, and the histories. Nothing of the product is imported here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from tests.chaos.history import Entry, read_histories

ENDS = frozenset({"completed", "failed", "cancelled", "rejected"})
HELD = frozenset({"running", "input_required", "auth_required"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task's row. `waits` is how long ago it became available, `overdue` how long its lease has been over (seconds;
    negative before, None without)."""

    id: str
    title: str
    state: str
    attempt: int = 0
    max_attempts: int = 3
    last_seq: int = 1
    priority: int = 0
    worker_id: str = ""
    claim_token: str | None = None
    session_id: str = ""
    declined_by: Sequence[str] = ()
    result: str = ""
    error: str = ""
    error_code: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    waits: float = 0.0
    overdue: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a task's log."""

    task_id: str
    seq: int
    position: int
    kind: str
    data: Mapping[str, Any]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A limited part of the queue: at most `most` tasks of it may be held at once; `held` is what the row says."""

    kind: str
    key: str
    most: int | None
    held: int
    really_held: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checker looks at."""

    tasks: Mapping[str, Task]
    logs: Mapping[str, Sequence[Event]]
    history: Sequence[Entry] = ()
    outbox: frozenset[tuple[str, int, str]] = frozenset()
    """Every (task, seq, kind) that was ever written to the outbox."""
    bounds: Sequence[Bound] = ()

    def entries(self, op: str, outcome: str = "ok") -> list[Entry]:
        """What was told of one operation."""
        return [entry for entry in self.history if entry.op == op and entry.outcome == outcome]


_TASKS = """
SELECT id::text, title, state, attempt, max_attempts, last_seq, priority, worker_id, claim_token::text, session_id,
    declined_by, result, error, error_code, usage,
    extract(epoch FROM clock_timestamp() - available_at)::float8 AS waits,
    extract(epoch FROM clock_timestamp() - lease_expires_at)::float8 AS overdue
FROM tasks_task"""
_EVENTS = """
SELECT task_id::text, seq, position, kind, data, created_at AS at FROM tasks_taskevent ORDER BY task_id, seq"""
_OUTBOX = "SELECT task_id::text, seq, kind FROM chaos_outbox"


def gathered(database_url: str, histories: Path) -> Evidence:
    """All evidence of a run that is over."""
    with psycopg.connect(database_url, autocommit=True) as database:
        with database.cursor(row_factory=class_row(Task)) as cursor:
            tasks = {task.id: task for task in cursor.execute(_TASKS)}
        logs: dict[str, list[Event]] = {task_id: [] for task_id in tasks}
        with database.cursor(row_factory=class_row(Event)) as cursor:
            for event in cursor.execute(_EVENTS):
                logs.setdefault(event.task_id, []).append(event)
        outbox = frozenset((str(task), int(seq), str(kind)) for task, seq, kind in database.execute(_OUTBOX))
        bounds = _bounds(database)
    return Evidence(tasks=tasks, logs=logs, history=list(read_histories(histories)), outbox=outbox, bounds=bounds)


def _bounds(database: psycopg.Connection[Any]) -> list[Bound]:
    """The limits, where this release has them."""
    row = database.execute("SELECT to_regclass('tasks_queuelimit')").fetchone()
    if row is None or row[0] is None:
        return []
    with database.cursor(row_factory=class_row(Bound)) as cursor:
        return list(cursor.execute(_BOUNDS))


_BOUNDS = """
SELECT l.kind, l.key, l.most, l.held, (
    SELECT count(*) FROM tasks_task t
    WHERE t.workspace_id = l.workspace_id AND t.lease_expires_at IS NOT NULL AND CASE l.kind
        WHEN 'workspace' THEN true
        WHEN 'codebase' THEN t.queue = l.key
        WHEN 'worker' THEN t.worker_id = l.key
        ELSE t.concurrency_key = l.key END)::int AS really_held
FROM tasks_queuelimit l"""
