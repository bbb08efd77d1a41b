"""Some kinds of a task's events, wherever they stand in its log: for views that are made of few of them."""

import uuid
from collections.abc import Collection

from apps.tasks.log.entries import LogEvent
from apps.tasks.models import TaskEvent


def read_kinds(task_id: uuid.UUID, kinds: Collection[str]) -> list[LogEvent]:
    """All events of these kinds, in order; the caller has checked that the task may be read."""
    found = TaskEvent.objects.filter(task_id=task_id, kind__in=kinds).order_by("seq")
    return [LogEvent(*row) for row in found.values_list("task_id", "seq", "position", "kind", "data", "created_at")]
