"""Time passes for the database: its clock decides about leases, so tests move the promises and not the clock."""

from django.db import connection


def expire_leases() -> None:
    """As if every lease had run out a second ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET lease_expires_at = clock_timestamp() - interval '1 second' "
            "WHERE lease_expires_at IS NOT NULL"
        )


def end_pauses() -> None:
    """As if every backoff and snooze were over."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_task SET available_at = clock_timestamp() - interval '1 second'")
