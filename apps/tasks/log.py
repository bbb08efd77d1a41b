"""Reading the log. Every stream is this: read after a number, wait for a wake-up or the poll interval, repeat.

`read` and `follow` serve one task by its gap-free `seq`. `read_workspace` and `follow_workspace` serve readers of many
tasks by `position`, and stay below the oldest running transaction, so that a slow one cannot hide an event from them.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.models import Task, TaskEvent
from apps.tasks.states import TERMINAL, State

PAGE = 500
POLL_SECONDS = 2.0
CATCH_UP_SECONDS = 0.02
TERMINAL_KINDS = frozenset({"completed", "failed", "cancelled", "rejected"})


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of a log. `codebase_id` is that of its task (empty: none)."""

    task_id: uuid.UUID
    seq: int
    position: int
    kind: str
    data: dict[str, Any]
    created_at: datetime
    codebase_id: str = ""

    @property
    def cursor(self) -> "Cursor":
        return Cursor(self.position, str(self.task_id), self.seq)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the workspace-wide order; its text is the SSE event id `position.task.seq`."""

    position: int
    task: str = ""
    seq: int = 0

    def __str__(self) -> str:
        return f"{self.position}.{self.task}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor in a `Last-Event-ID`, or None where it is anything else."""
        position, _, rest = text.partition(".")
        task, _, seq = rest.partition(".")
        try:
            parsed = cls(int(position), str(uuid.UUID(task)), int(seq))
        except ValueError:
            return None
        return parsed if 0 <= parsed.position < 2**62 and 0 <= parsed.seq < 2**62 else None


def read(task_id: uuid.UUID, after_seq: int = 0, limit: int = PAGE) -> list[LogEvent]:
    """The events of one task after `after_seq`, in order; the caller has checked that the task may be read."""
    rows = (
        TaskEvent.objects.filter(task_id=task_id, seq__gt=after_seq)
        .order_by("seq")
        .values_list("task_id", "seq", "position", "kind", "data", "created_at")[:limit]
    )
    return [LogEvent(*row) for row in rows]


async def follow(
    task_id: uuid.UUID, after_seq: int = 0, *, idle_seconds: float = POLL_SECONDS
) -> AsyncIterator[list[LogEvent]]:
    """Pages of a task's log after `after_seq`, for ever until its end; an empty page after `idle_seconds` of silence.

    Holds no connection and no thread while it waits.
    """
    with hub().waiting(f"task:{task_id}") as waiter:
        seq = after_seq
        while True:
            page = await in_database(read, task_id, seq)
            if page:
                seq = page[-1].seq
                yield page
                if page[-1].kind in TERMINAL_KINDS:
                    return
                if len(page) == PAGE:
                    continue
            elif await in_database(_ended_before, task_id, seq):
                return
            hints = await waiter.wait(idle_seconds)
            if not hints:
                yield []


def _ended_before(task_id: uuid.UUID, seq: int) -> bool:
    """Whether nothing can follow `seq`: a reader that resumes at the end of an ended task."""
    found = Task.objects.filter(id=task_id).values_list("state", "last_seq").first()
    if found is None:
        raise TaskNotFoundError("There is no such task.")
    state, last_seq = found
    return State(state) in TERMINAL and seq >= last_seq


_WORKSPACE_PAGE = """
SELECT e.task_id, e.seq, e.position, e.kind, e.data, e.created_at, COALESCE(t.codebase_id, '')
FROM tasks_taskevent e JOIN tasks_task t ON t.id = e.task_id
WHERE e.workspace_id = %(workspace_id)s
  AND e.position < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  AND (e.position, e.task_id::text COLLATE "C", e.seq) > (%(position)s, %(task)s COLLATE "C", %(seq)s)
  AND e.position >= %(position)s
  AND (%(codebase_id)s = '' OR t.codebase_id = %(codebase_id)s)
ORDER BY e.position, e.task_id::text COLLATE "C", e.seq
LIMIT %(limit)s"""


def read_workspace(
    workspace_id: uuid.UUID, after: Cursor, *, codebase_id: str = "", limit: int = PAGE
) -> list[LogEvent]:
    """Events of all tasks of a workspace (or of one codebase) after a cursor, each task's in the order of its log."""
    params = {
        "workspace_id": workspace_id,
        "position": after.position,
        "task": after.task,
        "seq": after.seq,
        "codebase_id": codebase_id,
        "limit": limit,
    }
    return [LogEvent(row[0], row[1], row[2], row[3], _data(row[4]), row[5], row[6]) for row in _rows(params)]


def _rows(params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_WORKSPACE_PAGE, params)
        return list(cursor.fetchall())


def _data(value: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = TaskEvent._meta.get_field("data").from_db_value(value, None, connection)  # type: ignore[attr-defined]
    return loaded


def now_cursor() -> Cursor:
    """The place from which a reader that wants only what is new begins."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        row = cursor.fetchone()
    return Cursor(row[0] if row else 0)


async def follow_workspace(
    workspace_id: uuid.UUID,
    after: Cursor | None = None,
    *,
    codebase_id: str = "",
    idle_seconds: float = POLL_SECONDS,
) -> AsyncIterator[list[LogEvent]]:
    """Pages of a workspace's events after a cursor (default: from now on), for ever; empty pages mark silence.

    A wake-up may come before the event is below the oldest running transaction: then the page is empty and the reader
    looks again after CATCH_UP_SECONDS, a bounded number of times, before it waits for the next wake-up or poll.
    """
    with hub().waiting(f"workspace:{workspace_id}") as waiter:
        cursor = after or await in_database(now_cursor)
        hinted = False
        while True:
            page = await in_database(read_workspace, workspace_id, cursor, codebase_id=codebase_id)
            if page:
                cursor, hinted = page[-1].cursor, False
                yield page
                if len(page) == PAGE:
                    continue
            hints = await waiter.wait(CATCH_UP_SECONDS if hinted else idle_seconds)
            hinted = any(not codebase_id or hint.codebase == codebase_id for hint in hints)
            if not hints:
                yield []
