"""Time passes: the database's clock decides, so rules move what it is compared with, and not the clock."""

from uuid import UUID

from django.db import connection


def expire_lease(task: UUID) -> None:
    """As if this lease, if there is one, had run out a second ago."""
    _update("lease_expires_at = clock_timestamp() - interval '1 second'", "lease_expires_at IS NOT NULL", task)


def age(task: UUID, seconds: int) -> None:
    """As if the task had been made `seconds` earlier."""
    _update(f"created_at = created_at - interval '{seconds} seconds', rank = rank - {seconds}", "true", task)


def pass_deadline(task: UUID) -> None:
    """As if the task's deadline, if it has one, were over."""
    _update("deadline_at = clock_timestamp() - interval '1 second'", "deadline_at IS NOT NULL", task)


def _update(change: str, condition: str, task: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE tasks_task SET {change} WHERE {condition} AND id = %s", [task])
