"""Reading the queue: counts, ages, limits, what waits. Of one workspace but for what operators ask of the server."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, F, IntegerField, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Now

from apps.core.prepared import execute
from apps.tasks.events import MOVES
from apps.tasks.models import QueueLimit, SweepTotal, Task, TaskEvent
from apps.tasks.selectors.counting import queue_counts_of_all
from apps.tasks.selectors.tasks import tasks_of
from apps.tasks.states import ASKING, HELD, State

RECENT_EVENTS = 500


def open_task_count(*, workspace_id: Any, codebase_id: Any) -> CombinedExpression:
    """How many tasks of a codebase have not ended, as an expression for a query over codebases (give OuterRefs)."""
    tasks = Task.objects.filter(workspace_id=workspace_id, codebase_id=codebase_id).order_by()
    # each by the small index of its states: asked for together they would be sought among all that ever was
    waiting = tasks.filter(state=State.PENDING, queue=codebase_id)
    held = tasks.filter(state__in=[str(state) for state in HELD])
    return _number(waiting) + _number(held)


def _number(tasks: QuerySet[Task]) -> Coalesce:
    counted = tasks.values("codebase_id").annotate(number=Count("id")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def pending_count(*, workspace_id: uuid.UUID, codebase_id: str) -> int:
    """How many tasks wait for a codebase's worker."""
    return tasks_of(workspace_id).filter(codebase_id=codebase_id, state=State.PENDING).count()


_STUCK = Q(state__in=[str(state) for state in HELD], lease_expires_at__lt=Now())


def stuck_tasks(workspace_id: uuid.UUID) -> QuerySet[Task]:
    """Tasks whose holder's lease has run out and that the reaper has not moved yet."""
    return tasks_of(workspace_id).filter(_STUCK)


def asking_count(workspace_ids: Collection[uuid.UUID]) -> int:
    """How many tasks of some workspaces wait for a person."""
    return Task.objects.filter(workspace_id__in=workspace_ids, state__in=[str(state) for state in ASKING]).count()


def recent_moves(workspace_id: uuid.UUID, limit: int) -> list[TaskEvent]:
    """The latest state changes of a workspace with their tasks, newest first.

    Looked for among the last RECENT_EVENTS of all kinds, so a flood of output can hide older ones but costs nothing.
    """
    last = TaskEvent.objects.filter(workspace_id=workspace_id).order_by("-position", "-seq").defer("data")
    moves = [event.pk for event in last[:RECENT_EVENTS] if event.kind in MOVES][:limit]
    rows = TaskEvent.objects.filter(pk__in=moves).select_related("task")
    return sorted(rows, key=lambda event: (event.position, event.seq), reverse=True)


_OLDEST = """
SELECT min(created_at), clock_timestamp() - min(created_at)
FROM (SELECT created_at FROM tasks_task WHERE state = 'pending'{mine} OFFSET 0) waiting"""
"""Of what waits, by its own index. Without OFFSET the planner takes it for the first in the order of all tasks, and
looks for it among all that ever was."""
_OLDEST_OF_ONE = _OLDEST.format(mine=" AND workspace_id = %(workspace_id)s")
_OLDEST_OF_ALL = _OLDEST.format(mine="")


def oldest_pending(workspace_id: uuid.UUID) -> datetime | None:
    """When the task that has waited longest was made."""
    ((found, _),) = execute(_OLDEST_OF_ONE, {"workspace_id": workspace_id})
    at: datetime | None = found
    return at


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all workspaces, for the server's operator. `oldest_pending_seconds` is 0 where nothing waits.

    `swept` counts since ever what the reaper has moved, by the outcomes of `services.rescue.Sweep`.
    """

    by_state: Mapping[str, int]
    oldest_pending_seconds: float
    stuck: int
    swept: Mapping[str, int]
    full_limits: int
    pauses: int


def totals() -> Totals:
    """What all workspaces have together."""
    tasks = Task.objects.order_by()
    ((_, longest),) = execute(_OLDEST_OF_ALL, {})
    return Totals(
        by_state=queue_counts_of_all(),
        oldest_pending_seconds=max(0.0, longest.total_seconds()) if longest is not None else 0.0,
        stuck=tasks.filter(_STUCK).count(),
        swept=dict(SweepTotal.objects.values_list("outcome").annotate(total=Sum("number"))),
        full_limits=QueueLimit.objects.filter(held__gte=F("most")).count(),
        pauses=QueueLimit.objects.filter(paused_at__isnull=False).count(),
    )


def limits_of(workspace_id: uuid.UUID) -> QuerySet[QueueLimit]:
    """The limits and pauses that are set in a workspace."""
    return QueueLimit.objects.filter(workspace_id=workspace_id)


_LIMIT_COLUMNS = [field.attname for field in QueueLimit._meta.concrete_fields]
_LIMITS = f"SELECT {', '.join(_LIMIT_COLUMNS)} FROM tasks_queuelimit WHERE workspace_id = %(workspace_id)s"


def limits_set(workspace_id: uuid.UUID) -> list[QueueLimit]:
    """As `limits_of`, by a prepared statement: whoever asks why a task waits needs them."""
    rows = execute(_LIMITS, {"workspace_id": workspace_id})
    return [QueueLimit.from_db(DEFAULT_DB_ALIAS, _LIMIT_COLUMNS, row) for row in rows]


def limit_facts(limit: QueueLimit) -> dict[str, Any]:
    """A limit or pause as every face shows it."""
    return {
        "kind": limit.kind,
        "key": limit.key,
        "most": limit.most,
        "held": limit.held,
        "paused": limit.is_paused,
        "paused_at": limit.paused_at,
        "reason": limit.reason or None,
        "changed_by": limit.changed_by,
        "changed_at": limit.changed_at,
    }


def running_by_worker(workspace_id: uuid.UUID) -> dict[str, int]:
    """How many tasks each worker's agents work on now; those that wait for an answer leave a worker free for more."""
    running = tasks_of(workspace_id).filter(state=State.RUNNING).order_by()
    return dict(running.values_list("worker_id").annotate(Count("id")))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Pending tasks that the same workers could take: what routing looks at, how many, and which is the first.

    It has the names of the task's fields, so that whatever explains a task can explain these. `concurrency_key` is only
    told where something is set for it: there may be as many keys as tasks.
    """

    workspace_id: uuid.UUID
    queue: str
    model: str
    target_agent: str
    requires: Sequence[str]
    declined_by: Sequence[str]
    concurrency_key: str
    is_later: bool
    is_over: bool
    number: int
    available_at: datetime
    deadline_at: datetime | None


_GROUPED = """
SELECT t.workspace_id, t.queue, t.model, t.target_agent, t.requires, t.declined_by, COALESCE(l.key, ''),
    t.available_at > clock_timestamp() AS is_later, t.deadline_at < clock_timestamp() AS is_over,
    count(*), min(t.available_at), min(t.deadline_at)
FROM {} t
LEFT JOIN tasks_queuelimit l ON l.workspace_id = t.workspace_id AND l.kind = 'key' AND l.key = t.concurrency_key
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""

_WAITING = _GROUPED.format("""(SELECT * FROM tasks_task
    WHERE state = 'pending' AND (%(workspace_id)s::uuid IS NULL OR workspace_id = %(workspace_id)s))""")


def waiting(workspace_id: uuid.UUID | None = None) -> list[Waiting]:
    """All pending tasks of a workspace (or, for the server's operator, of all), in groups of one fate."""
    return [Waiting(*row) for row in execute(_WAITING, {"workspace_id": workspace_id})]


LINE_LIMIT = 1000
"""A line is looked at no further than this."""

_BEFORE = _GROUPED.format("""(SELECT * FROM tasks_task
    WHERE state = 'pending' AND workspace_id = %(workspace_id)s AND queue = %(queue)s AND rank < %(rank)s
        AND available_at <= clock_timestamp()
    ORDER BY rank LIMIT %(limit)s)""")


def waiting_before(task: Task) -> list[Waiting]:
    """The tasks that stand before a pending one in its queue, LINE_LIMIT at most, in groups of one fate."""
    place = {"workspace_id": task.workspace_id, "queue": task.queue, "rank": task.rank, "limit": LINE_LIMIT}
    return [Waiting(*row) for row in execute(_BEFORE, place)]
