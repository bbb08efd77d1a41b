"""Tasks as lines of a page that is about something else: a codebase, a worker."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from apps.tasks.models import Task

STATE_TONES = {
    "pending": "default",
    "running": "info",
    "input_required": "warning",
    "auth_required": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "default",
    "rejected": "danger",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One task: `note` in a few words, `said` what its agent said last, `at` when it came to its state."""

    task: Any
    url: str
    word: str
    tone: str
    at: datetime
    note: str = ""
    said: str = ""


def lines(
    tasks: Iterable[Task], *, notes: Mapping[uuid.UUID, str] | None = None, said: Mapping[uuid.UUID, str] | None = None
) -> list[Line]:
    """The tasks in the same order, with what is known of each."""
    notes, said = notes or {}, said or {}
    return [
        Line(
            task,
            reverse("admin:tasks_task_change", args=[task.pk]),
            task.state.replace("_", " "),
            STATE_TONES[task.state],
            task.moved_at,
            notes.get(task.pk, ""),
            said.get(task.pk, ""),
        )
        for task in tasks
    ]
