"""The runs of tasks: each attempt, by whom, from when to when, and how it came to its end. Read off their logs."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.tasks.models import Task, TaskEvent
from apps.tasks.selectors.tasks import TaskFilter, placed_codebase, tasks_filtered
from apps.tasks.states import TERMINAL

_ENDS = frozenset({"requeued", "lease_lost", "answered", *map(str, TERMINAL)})


@dataclass(slots=True)
class Run:
    """`status`: as the task's while it goes on, else how it ended: a final state, `requeued`, `lost` (with its worker)
    or `left` (its worker left a question behind). `error` says why, where something went wrong."""

    number: int
    worker_id: str
    started_at: datetime
    ended_at: datetime | None = None
    status: str = ""
    error: str = ""


def tasks_tried(workspace_id: uuid.UUID, wanted: TaskFilter) -> QuerySet[Task]:
    """Those of `tasks_filtered` that a worker has taken at least once, newest first."""
    return tasks_filtered(workspace_id, wanted).filter(attempt__gt=0)


def runs_of(tasks: Collection[Task]) -> Mapping[uuid.UUID, Sequence[Run]]:
    """The runs of each task, the latest first."""
    found: dict[uuid.UUID, list[Run]] = {task.id: [] for task in tasks}
    kinds = ["claimed", *_ENDS]
    rows = TaskEvent.objects.filter(task_id__in=list(found), kind__in=kinds).order_by("task_id", "seq")
    for event in rows.iterator():
        _take(found[event.task_id], event)
    for task in tasks:
        for run in found[task.id]:
            run.status = run.status or task.state
        found[task.id].reverse()
    return found


def _take(runs: list[Run], event: TaskEvent) -> None:
    if event.kind == "claimed":
        runs.append(Run(event.data["attempt"], event.data["worker_id"], event.created_at))
        return
    if not runs or runs[-1].ended_at is not None:
        return
    status = {"lease_lost": "lost", "answered": "left"}.get(event.kind, event.kind)
    if event.kind == "answered" and event.data["resumes"] != "pending":
        return
    run = runs[-1]
    run.status, run.ended_at = status, event.created_at
    run.error = event.data.get("error") or (event.data.get("reason", "") if status != "completed" else "")


def run_facts(task: Task, run: Run) -> dict[str, Any]:
    """A run as clients see it (`shapes.Run`)."""
    seconds = (run.ended_at - run.started_at).total_seconds() if run.ended_at else None
    return {
        "run_id": f"{task.id}:{run.number}",
        "task_id": str(task.id),
        "title": task.title,
        "codebase_id": placed_codebase(task),
        "attempt": run.number,
        "max_attempts": task.max_attempts,
        "status": run.status,
        "worker_id": run.worker_id,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "seconds": seconds,
        "error": run.error or None,
    }
