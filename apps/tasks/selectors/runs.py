"""The runs of tasks: each attempt, by whom, from when to when, and how it came to its end. Read off their logs."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum

from apps.core.counting import COUNT_LIMIT, Counted
from apps.core.ids import parse_id
from apps.tasks.errors import RunNotFoundError
from apps.tasks.models import Task, TaskEvent
from apps.tasks.selectors.tasks import TaskFilter, placed_codebase, tasks_filtered
from apps.tasks.states import TERMINAL

NONE = uuid.UUID(int=0)
"""No task's id."""
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


def tasks_tried(workspace_id: uuid.UUID, wanted: TaskFilter, *, task_id: str = "") -> QuerySet[Task]:
    """Those of `tasks_filtered` that a worker has taken at least once, newest first; of one task alone by `task_id`."""
    found = tasks_filtered(workspace_id, wanted).filter(attempt__gt=0)
    return found.filter(id=parse_id(task_id) or NONE) if task_id else found


_SHOWN_OF_TASK = ("workspace_id", "codebase_id", "queue", "title", "state", "max_attempts")
"""What `run_facts` needs of a task: not its long texts."""

_PLACES = """
SELECT t.id, run.number FROM ({tasks}) t CROSS JOIN LATERAL generate_series(t.attempt, 1, -1) run(number)
ORDER BY t.created_at DESC, t.id DESC, run.number DESC LIMIT %s OFFSET %s"""
"""`attempt` never falls, and each claim raises it by one: so it says how many runs there are, and their names."""


def runs_page(found: QuerySet[Task], *, limit: int, offset: int) -> list[tuple[Task, Run]]:
    """That part of the runs of the tasks that `tasks_tried` has found: by task, newest first; of each the latest first.

    No more of these tasks are looked at than there are runs up to the part's end, since each has one at least.
    """
    newest = found.order_by("-created_at", "-id").values("id", "created_at", "attempt")[: offset + limit]
    tasks, params = newest.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PLACES.format(tasks=tasks), [*params, limit, offset])
        places = cursor.fetchall()
    shown = {task.id: task for task in Task.objects.only(*_SHOWN_OF_TASK).filter(id__in={place[0] for place in places})}
    runs = {(task_id, run.number): run for task_id, all_runs in runs_of(shown.values()).items() for run in all_runs}
    return [(shown[task_id], runs[task_id, number]) for task_id, number in places if (task_id, number) in runs]


def runs_counted(found: QuerySet[Task]) -> Counted:
    """How many runs the tasks have that `tasks_tried` has found, COUNT_LIMIT at most."""
    # in the list's order, so that the list's index serves, and not all tasks of all workspaces
    looked_at = found.order_by("-created_at", "-id")[: COUNT_LIMIT + 1]
    number = looked_at.aggregate(number=Sum("attempt"))["number"] or 0
    return Counted(min(number, COUNT_LIMIT), number > COUNT_LIMIT)


def run_get(*, workspace_id: uuid.UUID, run_id: str) -> tuple[Task, Run]:
    """The run that `run_facts` calls so, with its task; RunNotFoundError for anything else."""
    task_id, _, number = run_id.rpartition(":")
    parsed = parse_id(task_id)
    for task in Task.objects.only(*_SHOWN_OF_TASK).filter(workspace_id=workspace_id, id=parsed) if parsed else ():
        for run in runs_of([task])[task.id]:
            if str(run.number) == number:
                return task, run
    raise RunNotFoundError("There is no such run.")


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
