"""All events of a workspace, task by task, for whoever takes them away: no place of it costs more than another.

The order of `read_workspace` is that of the transactions that wrote them. Restored events have lost theirs and share a
place: to go through those in pages would mean to sort all of them for each page.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from apps.tasks.log.entries import LogEvent
from apps.tasks.log.reading import FACTS, PAGE, PAGE_BYTES, as_event


@dataclass(frozen=True, slots=True)
class Read:
    """How far one has read: an event, and when its task was made."""

    made_at: datetime
    task_id: uuid.UUID
    seq: int


BEGINNING = Read(datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1), 0)

_PAGE = f"""
SELECT {FACTS}, e.bytes, e.made_at FROM (
    SELECT *, sum(bytes) OVER (ORDER BY made_at DESC, task_id DESC, seq) AS total FROM (
        SELECT e.*, t.created_at AS made_at, pg_column_size(e.data) AS bytes
        FROM (
            SELECT id, created_at FROM tasks_task
            WHERE workspace_id = %(workspace_id)s AND (created_at, id) <= (%(made_at)s, %(task_id)s)
            ORDER BY created_at DESC, id DESC LIMIT %(limit)s
        ) t CROSS JOIN LATERAL (
            SELECT * FROM tasks_taskevent
            WHERE task_id = t.id AND seq > CASE WHEN t.id = %(task_id)s THEN %(seq)s ELSE 0 END
            ORDER BY seq LIMIT %(limit)s
        ) e ORDER BY t.created_at DESC, t.id DESC, e.seq LIMIT %(limit)s
    ) f
) e JOIN tasks_task t ON t.id = e.task_id
WHERE e.total - e.bytes < %(budget)s ORDER BY e.made_at DESC, e.task_id DESC, e.seq"""


def read_whole(
    workspace_id: uuid.UUID, after: Read = BEGINNING, *, limit: int = PAGE
) -> tuple[list[LogEvent], Read | None]:
    """The next events, those of the newest task first, and how far that is; None where nothing follows.

    At most `limit` and about PAGE_BYTES of them. Each task's are in its log's order. A task that is made meanwhile is
    not among them.
    """
    params: dict[str, Any] = {
        "workspace_id": workspace_id,
        "made_at": after.made_at,
        "task_id": after.task_id,
        "seq": after.seq,
        "limit": limit,
        "budget": PAGE_BYTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, params)
        rows = cursor.fetchall()
    events = [as_event(*row[:-2]) for row in rows]
    return events, Read(rows[-1][-1], events[-1].task_id, events[-1].seq) if rows else None
