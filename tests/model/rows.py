"""What the database holds, in the model's words."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.tasks.events import MOVES
from apps.tasks.models import OutboxEntry, Task, TaskEvent

NAMES = {
    "state": "state", "attempt": "attempt", "max_attempts": "max_attempts", "priority": "priority",
    "worker_id": "worker", "claim_token": "token", "last_seq": "seq", "claim_seq": "claim_seq",
    "client_seq": "client_seq", "last_steering_seq": "steering", "heard_seq": "heard", "declined_by": "declined",
}  # fmt: skip


def facts_of_rows() -> dict[UUID, dict[str, object]]:
    """By task, the same facts that the model's `Task.facts` gives."""
    now = timezone.now()
    return {row["id"]: _facts(row, now) for row in Task.objects.values()}


def _facts(row: dict[str, Any], now: datetime) -> dict[str, object]:
    lease, deadline = row["lease_expires_at"], row["deadline_at"]
    times = {
        "lease": "" if lease is None else "live" if lease > now else "expired",
        "deadline": "" if deadline is None else "ahead" if deadline > now else "passed",
        "paused": row["available_at"] > now,
    }
    return times | {name: row[column] for column, name in NAMES.items()}


def moves_in_log() -> list[tuple[UUID, int]]:
    """(task, seq) of every event after which a task's state may be another."""
    return sorted(TaskEvent.objects.filter(kind__in=MOVES).values_list("task_id", "seq"))


def moves_in_outbox() -> list[tuple[UUID, int]]:
    return sorted(OutboxEntry.objects.values_list("task_id", "seq"))


def follow_up_of(task_id: UUID) -> UUID:
    """The task that goes on with what was said too late."""
    return Task.objects.values_list("id", flat=True).get(idempotency_key=f"follow-up:{task_id}")


def snapshot() -> tuple[Any, ...]:
    """Everything, to compare before and after a refusal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT string_agg(t::text, ';' ORDER BY t.id) FROM tasks_task t),"
            " (SELECT count(*) FROM tasks_taskevent), (SELECT count(*) FROM tasks_outboxentry)"
        )
        found: tuple[Any, ...] = cursor.fetchone()
    return found
