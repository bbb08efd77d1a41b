"""One page of a log. A page is bounded by count and by bytes, so that a reader's memory is, too."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from apps.core.prepared import execute
from apps.tasks.log.entries import Cursor, LogEvent
from apps.tasks.states import TERMINAL, State

PAGE = 500
PAGE_BYTES = 262_144
"""Of data as stored (PostgreSQL compresses large values); a page holds at least one event, however large."""

FACTS = """e.task_id, e.seq, e.position, e.kind, e.data::text, e.created_at, COALESCE(t.codebase_id, ''),
    t.session_id, t.worker_id, t.agent_type, t.title"""


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order. `is_whole` when nothing readable follows them; `resume` is where to read on from then.

    `is_held_back`: newer events are committed, but an older transaction still runs, so they may not be read
    yet. `is_over`: nothing can follow, since the task has ended; None where there is no such task.
    """

    events: Sequence[LogEvent]
    is_whole: bool
    resume: Cursor
    is_held_back: bool = False
    is_over: bool | None = False


_TASK_PAGE = f"""
SELECT {FACTS}, e.bytes, t.state, t.last_seq FROM tasks_task t LEFT JOIN (
    SELECT *, pg_column_size(data) AS bytes, sum(pg_column_size(data)) OVER (ORDER BY seq) AS total FROM
    (SELECT * FROM tasks_taskevent WHERE task_id = %(task_id)s AND seq > %(seq)s ORDER BY seq LIMIT
    %(limit)s) f
) e ON e.task_id = t.id AND e.total - e.bytes < %(budget)s
WHERE t.id = %(task_id)s ORDER BY e.seq"""
"""A row of a task to which nothing has happened since says how that stands; it has no event."""


def read(task_id: uuid.UUID, after_seq: int = 0, limit: int = PAGE) -> list[LogEvent]:
    """The events of one task after `after_seq`, in order; the caller has checked that the task may be read.

    At most `limit` and about PAGE_BYTES of them, at least one where there is one: read again until it is
    empty.
    """
    return list(task_page(task_id, after_seq, limit).events)


def task_page(task_id: uuid.UUID, after_seq: int, limit: int = PAGE) -> Page:
    """As `read`, and whether that was all."""
    params = {"task_id": task_id, "seq": after_seq, "limit": limit, "budget": PAGE_BYTES}
    rows = execute(_TASK_PAGE, params)
    if not rows:
        return Page((), is_whole=True, resume=Cursor(0), is_over=None)
    state, last_seq = rows[-1][-2:]
    found = [row[:-2] for row in rows if row[1] is not None]
    heard = found[-1][1] if found else after_seq
    return _page(found, limit, Cursor(0), is_over=State(state) in TERMINAL and heard >= last_seq)


_WORKSPACE_PAGE = f"""
SELECT {FACTS}, e.bytes FROM (
    SELECT f.*, pg_column_size(data) AS bytes, sum(pg_column_size(data)) OVER (
        ORDER BY position, task_id::text COLLATE "C", seq) AS total
    FROM (
        SELECT e.* FROM tasks_taskevent e JOIN tasks_task t ON t.id = e.task_id
        WHERE e.workspace_id = %(workspace_id)s AND e.position >= %(position)s AND e.position < %(horizon)s
          AND (e.position, e.task_id::text COLLATE "C", e.seq) > (%(position)s, %(task)s COLLATE "C", %(seq)s)
          AND (%(codebase_id)s = '' OR t.codebase_id = %(codebase_id)s)
        ORDER BY e.position, e.task_id::text COLLATE "C", e.seq LIMIT %(limit)s
    ) f
) e JOIN tasks_task t ON t.id = e.task_id
WHERE e.total - e.bytes < %(budget)s ORDER BY e.position, e.task_id::text COLLATE "C", e.seq"""


def read_workspace(
    workspace_id: uuid.UUID, after: Cursor, *, codebase_id: str = "", limit: int = PAGE
) -> list[LogEvent]:
    """Events of all tasks of a workspace (or of one codebase) after a cursor, each task's in its log's order.

    Bounded like `read`.
    """
    return list(workspace_page(workspace_id, after, codebase_id, limit).events)


def workspace_page(workspace_id: uuid.UUID, after: Cursor, codebase_id: str = "", limit: int = PAGE) -> Page:
    """As `read_workspace`, and how to go on.

    Events at or beyond the oldest running transaction (the horizon) wait: one of that transaction's own
    could still come before them. Below it nothing can appear any more, so a whole page moves its reader up
    to the horizon.
    """
    horizon, is_held_back = _horizon(workspace_id)
    params = {
        "workspace_id": workspace_id,
        "position": after.position,
        "task": after.task,
        "seq": after.seq,
        "horizon": horizon,
        "codebase_id": codebase_id,
        "limit": limit,
        "budget": PAGE_BYTES,
    }
    return _page(_rows(_WORKSPACE_PAGE, params), limit, max(after, Cursor(horizon)), is_held_back=is_held_back)


_HORIZON = """
SELECT COALESCE(
    min(running.xid::text::bigint) FILTER (WHERE elsewhere.pid IS NULL),
    max(pg_snapshot_xmax(present.snapshot)::text::bigint)
) AS position
FROM (SELECT pg_current_snapshot() AS snapshot) present
LEFT JOIN LATERAL pg_snapshot_xip(present.snapshot) AS running(xid) ON true
LEFT JOIN pg_stat_activity elsewhere
    ON elsewhere.backend_xid = running.xid::xid AND elsewhere.datname <> current_database()"""
"""The oldest transaction that runs in this database, or the next one where none does.

Transactions are numbered for the whole server: those known to belong to its other databases are no concern of ours.
Which those are may be hidden from our role (it then lacks pg_read_all_stats): they count as ours.
"""


def _horizon(workspace_id: uuid.UUID) -> tuple[int, bool]:
    """(the horizon, whether committed events wait beyond it). Read before the page, never after."""
    sql = f"""
SELECT h.position, EXISTS (
    SELECT FROM tasks_taskevent e WHERE e.workspace_id = %(workspace_id)s AND e.position >= h.position
) FROM ({_HORIZON}) h"""
    ((position, is_held_back),) = _rows(sql, {"workspace_id": workspace_id})
    return position, is_held_back


def now_cursor() -> Cursor:
    """The place from which a reader that wants only what is new begins."""
    ((position,),) = execute(_HORIZON, {})
    return Cursor(position)


def is_past(cursor: Cursor) -> bool:
    """Whether a reader can have been at `cursor`: nothing of this server's lies beyond its next transaction."""
    ((position,),) = _rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint", {})
    return cursor.position <= int(position)


def _rows(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Planned anew each time: how much lies between two positions differs by far too much for one plan."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _page(
    rows: list[tuple[Any, ...]],
    limit: int,
    horizon: Cursor,
    *,
    is_held_back: bool = False,
    is_over: bool | None = False,
) -> Page:
    events = [as_event(*row[:-1]) for row in rows]
    is_whole = len(rows) < limit and sum(row[-1] for row in rows) < PAGE_BYTES
    resume = horizon if is_whole or not events else events[-1].cursor
    return Page(events, is_whole, resume, is_held_back, is_over)


def as_event(task_id: uuid.UUID, seq: int, position: int, kind: str, data: str, *facts: Any) -> LogEvent:
    return LogEvent(task_id, seq, position, kind, orjson.loads(data), *facts)
