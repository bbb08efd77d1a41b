"""What belongs to one codebase or one worker, for its page: bounded, whatever the tables hold."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, JSONField, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from apps.core.prepared import execute
from apps.tasks.models import QueueLimit, Task
from apps.tasks.selectors.tasks import tasks_of
from apps.tasks.states import ASKING, HELD, TERMINAL, State

LOOKED_AT = 2_000
"""Tasks of a codebase that are looked at, the latest; where there are more, a page hears of these only, and that."""
MOVED_LATELY = 5_000
"""Tasks of a workspace among which those of a worker are sought, the latest to come to another state."""
DAYS = 7


def _texts(states: Iterable[State]) -> list[str]:
    return [str(state) for state in states]


def held_in(*, workspace_id: Any, codebase_id: Any) -> Subquery:
    """`{held, asking}`: how many tasks of a codebase workers hold, and how many of these ask. Null for none.

    An expression for a query over codebases (give OuterRefs).
    """
    return _held("codebase_id", workspace_id=workspace_id, codebase_id=codebase_id)


def held_by(*, workspace_id: Any, worker_id: Any) -> Subquery:
    """The same of what a worker holds, for a query over workers."""
    return _held("worker_id", workspace_id=workspace_id, worker_id=worker_id)


def _held(whose: str, **place: Any) -> Subquery:
    held = Task.objects.filter(state__in=_texts(HELD), **place).order_by()
    asking = Count("id", filter=Q(state__in=_texts(ASKING)))
    counted = held.values(whose).annotate(number=Count("id"), asking=asking)
    return Subquery(counted.values(told=JSONObject(held="number", asking="asking")), output_field=JSONField())


def last_task(*, codebase_id: Any) -> Subquery:
    """`{id, title, state, at}` of a codebase's newest task, as an expression for a query over codebases."""
    newest = Task.objects.filter(codebase_id=codebase_id).order_by("-created_at")
    told = JSONObject(id="id", title="title", state="state", at="created_at")
    return Subquery(newest.values(told=told)[:1], output_field=JSONField())


def pauses_of(**place: Any) -> QuerySet[QueueLimit]:
    """The pauses that are set for parts of the queue."""
    return QueueLimit.objects.filter(paused_at__isnull=False, **place).order_by()


def held_of_codebase(workspace_id: uuid.UUID, codebase_id: str, most: int) -> list[Task]:
    """What workers hold of a codebase; those that ask first, then the newest."""
    tasks = _light(tasks_of(workspace_id)).filter(codebase_id=codebase_id, state__in=_texts(HELD))
    return list(tasks.order_by("state", "-created_at")[:most])


def next_of_codebase(workspace_id: uuid.UUID, codebase_id: str, most: int) -> list[Task]:
    """What waits in a codebase's queue, in the order in which it will be taken."""
    tasks = _light(tasks_of(workspace_id)).filter(queue=codebase_id, state=State.PENDING)
    return list(tasks.order_by("rank", "id")[:most])


def newest_of_codebase(workspace_id: uuid.UUID, codebase_id: str, most: int) -> list[Task]:
    """The tasks of a codebase that were made last."""
    tasks = _light(tasks_of(workspace_id)).filter(codebase_id=codebase_id)
    return list(tasks.order_by("-created_at", "-id")[:most])


def held_of_worker(workspace_id: uuid.UUID, worker_id: str, most: int) -> list[Task]:
    """What a worker holds, the longest held first."""
    tasks = _light(tasks_of(workspace_id)).filter(worker_id=worker_id, state__in=_texts(HELD))
    return list(tasks.select_related("codebase").order_by("started_at", "id")[:most])


def _light(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Without what may be long."""
    return tasks.defer("prompt", "metadata", "result")


@dataclass(frozen=True, slots=True)
class Spent:
    """How some tasks went, and what they have cost so far."""

    tasks: int = 0
    completed: int = 0
    failed: int = 0
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(*(getattr(self, name) + getattr(other, name) for name in Spent.__slots__))


def _number(name: str) -> str:
    return f"sum(CASE WHEN jsonb_typeof(usage -> '{name}') = 'number' THEN (usage ->> '{name}')::float8 ELSE 0 END)"


_SUMS = f"""count(*), count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'failed'),
    {_number("cost_usd")}, {_number("input_tokens")}::int8, {_number("output_tokens")}::int8"""

_OF_CODEBASE = f"""
SELECT created_at > statement_timestamp() - make_interval(days => 1) AS is_of_today, {_SUMS}
FROM (
    SELECT created_at, state, usage FROM tasks_task
    WHERE workspace_id = %(workspace_id)s AND codebase_id = %(codebase_id)s
        AND created_at > statement_timestamp() - make_interval(days => %(days)s)
    ORDER BY created_at DESC LIMIT %(most)s
) made GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Spending:
    """The tasks that were made within the last 24 hours, and within DAYS days. `is_capped`: there were more."""

    day: Spent
    week: Spent
    is_capped: bool


def spending_of_codebase(workspace_id: uuid.UUID, codebase_id: str) -> Spending:
    """How a codebase's latest tasks went."""
    place = {"workspace_id": workspace_id, "codebase_id": codebase_id}
    rows = execute(_OF_CODEBASE, {**place, "days": DAYS, "most": LOOKED_AT})
    found = {is_of_today: Spent(*numbers) for is_of_today, *numbers in rows}
    day = found.get(True, Spent())
    week = day.plus(found.get(False, Spent()))
    return Spending(day, week, week.tasks >= LOOKED_AT)


_MOVED = """(
    SELECT id, worker_id, state, moved_at, usage FROM tasks_task WHERE workspace_id = %(workspace_id)s
    ORDER BY moved_at DESC, id DESC LIMIT %(most)s
) moved WHERE worker_id = %(worker_id)s"""
"""No index leads from a worker to all that it ever did: each would cost at every claim."""

_OF_WORKER = f"""
SELECT {_SUMS} FROM {_MOVED} AND moved_at > statement_timestamp() - make_interval(days => 1) HAVING count(*) > 0"""

_ENDED = f"""
SELECT id FROM {_MOVED} AND state = ANY(%(ended)s) ORDER BY moved_at DESC, id DESC LIMIT %(limit)s"""


def day_of_worker(workspace_id: uuid.UUID, worker_id: str) -> Spent:
    """How the tasks of a worker went that moved in the last 24 hours: looked for among the workspace's latest."""
    place = {"workspace_id": workspace_id, "worker_id": worker_id, "most": MOVED_LATELY}
    return next((Spent(*numbers) for numbers in execute(_OF_WORKER, place)), Spent())


def ended_of_worker(workspace_id: uuid.UUID, worker_id: str, limit: int) -> list[Task]:
    """The tasks that ended last at a worker, latest first: looked for among the workspace's latest."""
    place = {"workspace_id": workspace_id, "worker_id": worker_id, "most": MOVED_LATELY}
    rows = execute(_ENDED, {**place, "ended": _texts(TERMINAL), "limit": limit})
    return _in_order([task_id for (task_id,) in rows])


def _in_order(ids: Collection[uuid.UUID]) -> list[Task]:
    found = _light(Task.objects.filter(pk__in=ids)).select_related("codebase").in_bulk() if ids else {}
    return [found[task_id] for task_id in ids if task_id in found]
