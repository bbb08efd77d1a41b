"""Tasks by their latest move, page by page: for clients that keep a list up to date."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.counting import COUNT_LIMIT
from apps.core.ids import parse_id
from apps.core.prepared import execute
from apps.tasks.models import Task
from apps.tasks.rows import SELECTED, as_task
from apps.tasks.selectors.counting import in_state
from apps.tasks.states import HELD, State


@dataclass(frozen=True, slots=True)
class Before:
    """Where a page begins: after the task that moved at this time and has this id."""

    moved_at: datetime
    task_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFilter:
    """What the list is narrowed to; None and empty narrow nothing. `moved_after` excludes that instant itself."""

    context_id: str = ""
    state: State | None = None
    moved_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the tasks, latest move first; where the next page begins, if there is one; how many match in all.

    `total` goes no further than COUNT_LIMIT where a context or a time is asked for.
    """

    tasks: list[Task]
    next: Before | None
    total: int


def tasks_by_move(workspace_id: uuid.UUID, wanted: MoveFilter, *, limit: int, before: Before | None = None) -> Page:
    """The next `limit` tasks that match."""
    params: dict[str, Any] = {"workspace_id": workspace_id, "limit": limit + 1}
    matching = _matching(wanted, params)
    beyond = ""
    if before is not None:
        params |= {"moved_at": before.moved_at, "id": before.task_id}
        beyond = " AND (t.moved_at, t.id) < (%(moved_at)s::timestamptz, %(id)s::uuid)"
    rows = execute(
        f"SELECT {SELECTED} FROM tasks_task t WHERE {matching}{beyond}"
        " ORDER BY t.moved_at DESC, t.id DESC LIMIT %(limit)s",
        params,
    )
    tasks = [as_task(row) for row in rows[:limit]]
    more = len(rows) > limit
    total = len(tasks) if before is None and not more else _count(workspace_id, wanted, matching, params)
    return Page(tasks, Before(tasks[-1].moved_at, tasks[-1].id) if more else None, total)


def _matching(wanted: MoveFilter, params: dict[str, Any]) -> str:
    text = "t.workspace_id = %(workspace_id)s"
    if wanted.context_id:
        # a task of another face is a context of its own, named by its id
        text += " AND (t.context_id = %(context_id)s AND t.context_id <> '' OR t.id = %(alone)s AND t.context_id = '')"
        params |= {"context_id": wanted.context_id, "alone": parse_id(wanted.context_id)}
    if wanted.state is not None:
        text += f" AND t.state = '{wanted.state}'"
    if wanted.moved_after is not None:
        text += " AND t.moved_at > %(moved_after)s::timestamptz"
        params["moved_after"] = wanted.moved_after
    return text


def _count(workspace_id: uuid.UUID, wanted: MoveFilter, matching: str, params: Mapping[str, Any]) -> int:
    if not wanted.context_id and wanted.moved_after is None:
        return in_state(workspace_id, wanted.state or "")
    most = {"most": COUNT_LIMIT}
    ((total,),) = execute(
        f"SELECT count(*) FROM (SELECT FROM tasks_task t WHERE {matching} LIMIT %(most)s) t", {**params, **most}
    )
    return int(total)


@dataclass(frozen=True, slots=True)
class AfterMade:
    """Where a page of all tasks, newest first, begins: after the task that was made at this time and has this id."""

    created_at: datetime
    task_id: uuid.UUID


def tasks_after(workspace_id: uuid.UUID, after: AfterMade | None, limit: int) -> list[Task]:
    """The next `limit` tasks of a workspace, newest first."""
    found = Task.objects.filter(workspace_id=workspace_id)
    if after is not None:
        found = found.filter(created_at__lte=after.created_at)
        found = found.exclude(created_at=after.created_at, id__gte=after.task_id)
    return list(found.order_by("-created_at", "-id")[:limit])


HELD_AT_MOST = 1_000


def held_tasks(workspace_id: uuid.UUID) -> list[Task]:
    """The tasks that workers hold now, the newest HELD_AT_MOST, without their long texts."""
    held = Task.objects.filter(workspace_id=workspace_id, state__in=[str(state) for state in HELD])
    return list(held.defer("prompt", "result", "metadata").order_by("-created_at")[:HELD_AT_MOST])
