"""What waits for a person in a workspace: questions, stuck and failed tasks, machines that went away."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from apps.tasks.selectors import HOURS, open_questions, stuck_tasks, tasks_of
from apps.tasks.states import ASKING, State
from apps.workers.lost import lost_machines

ROWS = 8
FAILED_ROWS = 5
LOST_ROWS = 3
OPTIONS = 4
TEXT_LENGTH = 300
ASKING_STATES = [str(state) for state in ASKING]


@dataclass(frozen=True, slots=True)
class Need:
    """One line: what it is (`word`, in the colour `tone`), since when, and what can be done at once.

    `options` are those of a question, `verb` a step of `apps.tasks.admin.steps`; a line without either leads to a page.
    """

    title: str
    url: str
    word: str
    tone: str
    at: datetime
    text: str = ""
    task_id: uuid.UUID | None = None
    verb: str = ""
    call_id: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)


def needs(workspace_id: uuid.UUID) -> list[Need]:
    """The most urgent first: who asks has stopped working."""
    return [*_asking(workspace_id), *_stuck(workspace_id), *_lost(workspace_id), *_failed(workspace_id)]


def _asking(workspace_id: uuid.UUID) -> list[Need]:
    rows = tasks_of(workspace_id).filter(state__in=ASKING_STATES).defer("prompt", "metadata", "result")
    tasks = list(rows.order_by("updated_at")[:ROWS])
    asked = open_questions(tasks)
    return [_question(task, asked[task.pk].data if task.pk in asked else {}) for task in tasks]


def _question(task: Any, data: dict[str, Any]) -> Need:
    options = [option for option in data.get("options") or [] if isinstance(option, dict)]
    word = "needs credentials" if task.state == State.AUTH_REQUIRED else "asks"
    return Need(
        task.title, _page(task), word, "warning", task.updated_at, data.get("question", "")[:TEXT_LENGTH], task.pk,
        call_id=data.get("call_id", ""), options=options[:OPTIONS],
    )  # fmt: skip


def _stuck(workspace_id: uuid.UUID) -> list[Need]:
    rows = stuck_tasks(workspace_id).defer("prompt", "metadata", "result").order_by("lease_expires_at")[:ROWS]
    return [
        Need(task.title, _page(task), "stuck", "danger", task.lease_expires_at or task.updated_at,
             f"{task.worker_id} has not renewed its lease.", task.pk, verb="requeue")
        for task in rows
    ]  # fmt: skip


def _failed(workspace_id: uuid.UUID) -> list[Need]:
    since = timezone.now() - timedelta(hours=HOURS)
    rows = tasks_of(workspace_id).filter(state=State.FAILED, created_at__gte=since).defer("prompt", "metadata")
    return [
        Need(task.title, _page(task), "failed", "danger", task.moved_at, task.error[:TEXT_LENGTH], task.pk,
             verb="resume")
        for task in rows.defer("result").order_by("-created_at")[:FAILED_ROWS]
    ]  # fmt: skip


def _lost(workspace_id: uuid.UUID) -> list[Need]:
    found = lost_machines(workspace_id, LOST_ROWS)
    return [
        Need(worker.name, reverse("admin:workers_worker_change", args=[worker.pk]), "offline", "danger",
             worker.last_seen_at, "It went away without saying so.")
        for worker in found
    ]  # fmt: skip


def _page(task: Any) -> str:
    return reverse("admin:tasks_task_change", args=[task.pk])
