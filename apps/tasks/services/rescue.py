"""What nobody asked for: leases that ran out, deadlines that passed. Driven by the reaper, safe to run anywhere, twice.

Candidates come from an index; whether each is moved is decided inside its own guarded UPDATE, so a renewal or a finish
that comes in between wins. How long a task has been running plays no part.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from apps.tasks import events
from apps.tasks.models import LastSweep, SweepTotal, Task
from apps.tasks.services import statements
from apps.tasks.services.announce import announce
from apps.tasks.services.finish import NOW, RELEASED, backoff_seconds, send_back
from apps.tasks.services.limits import limits_adopt
from apps.tasks.services.statements import Guard
from apps.tasks.states import ASKING, HELD, State

SWEEP_LIMIT = 500
Counts = dict[str, dict[str, int]]
"""What was moved, by workspace and outcome."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep of the reaper did, as counts of tasks."""

    requeued: int = 0
    failed: int = 0
    unheld: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        return self.requeued + self.failed + self.unheld + self.expired


def leases_reap(*, workspace_id: uuid.UUID | None = None, limit: int = SWEEP_LIMIT) -> Sweep:
    """Move tasks whose lease has run out, and pending ones whose deadline has passed.

    A sweep over all workspaces leaves word of itself (`sweep_latest`); one for a single workspace is a person's wish.
    """
    began, counts = time.monotonic(), Counts()
    held = Task.objects.filter(state__in=[str(state) for state in HELD], lease_expires_at__lt=Now())
    late = Task.objects.filter(state=State.PENDING, deadline_at__lt=Now())
    if workspace_id is not None:
        held, late = held.filter(workspace_id=workspace_id), late.filter(workspace_id=workspace_id)
    for task in held.order_by("lease_expires_at")[:limit]:
        with transaction.atomic():
            _count(counts, task, _rescue(task))
    for task in late.order_by("deadline_at").only("id", "workspace_id")[:limit]:
        with transaction.atomic():
            _count(counts, task, "expired" if _expire(task.id) is not None else "")
    limits_adopt()
    if workspace_id is None:
        done = {"ended_at": Now(), "seconds": round(time.monotonic() - began, 3), "moved": counts}
        LastSweep.objects.update_or_create(id=1, defaults=done)
    return _sum(counts)


def _sum(counts: Mapping[str, Mapping[str, int]]) -> Sweep:
    totals = asdict(Sweep())
    for of_one in counts.values():
        for outcome, number in of_one.items():
            totals[outcome] += number
    return Sweep(**totals)


@dataclass(frozen=True, slots=True)
class Swept:
    """The latest sweep over all workspaces, as one of them may see it. Seconds by the database's clock."""

    at: datetime
    seconds_ago: float
    took_seconds: float
    moved: Sweep


def sweep_latest(*, workspace_id: uuid.UUID | None = None) -> Swept | None:
    """The latest sweep, with what it moved in `workspace_id` (or in all); None where none has ever come to its end."""
    age = ExpressionWrapper(Now() - F("ended_at"), output_field=DurationField())
    last = LastSweep.objects.annotate(age=age).first()
    if last is None:
        return None
    seen = last.moved if workspace_id is None else {"": last.moved.get(str(workspace_id), {})}
    return Swept(last.ended_at, max(0.0, last.age.total_seconds()), last.seconds, _sum(seen))


def _count(counts: Counts, task: Task, outcome: str) -> None:
    """In this sweep's counts, and for good; an empty outcome counts nothing."""
    if not outcome:
        return
    of_one = counts.setdefault(str(task.workspace_id), {})
    of_one[outcome] = of_one.get(outcome, 0) + 1
    total, _ = SweepTotal.objects.get_or_create(workspace_id=task.workspace_id, outcome=outcome)
    SweepTotal.objects.filter(id=total.id).update(number=F("number") + 1)


def _rescue(task: Task) -> str:
    """What became of a task whose lease seemed to have run out; empty where its guard no longer held."""
    if task.is_asking:
        return "unheld" if _let_go(task) is not None else ""
    if task.attempt >= task.max_attempts:
        return "failed" if _give_up(task) is not None else ""
    error = f"worker {task.worker_id} vanished during attempt {task.attempt}"
    event = events.requeued(reason="lease expired", error=error, delay_seconds=backoff_seconds(task.attempt))
    back = send_back(task_id=task.id, guard=_guard(task, frozenset({State.RUNNING})), event=event)
    return "requeued" if back is not None else ""


def _guard(task: Task, states: frozenset[State]) -> Guard:
    return Guard(states, claim_token=task.claim_token, lease_expired=True)


def _let_go(task: Task) -> Task | None:
    """The question stands; the answer will make the task pending."""
    event = events.lease_lost(worker_id=task.worker_id)
    return _moved(task.id, _guard(task, ASKING), event, dict(RELEASED))


def _give_up(task: Task) -> Task | None:
    error = task.error or f"worker {task.worker_id} vanished during attempt {task.attempt}, the last one"
    event = events.failed(error=error, code="attempts_spent")
    changes = {
        "state": str(State.FAILED),
        "error": error,
        "error_code": "attempts_spent",
        "claim_token": None,
        "lease_expires_at": None,
        "completed_at": NOW,
    }
    return _moved(task.id, _guard(task, frozenset({State.RUNNING})), event, changes)


def _expire(task_id: uuid.UUID) -> Task | None:
    error = "no worker claimed the task before its deadline"
    event = events.failed(error=error, code="deadline_passed")
    changes = {
        "state": str(State.FAILED),
        "error": error,
        "error_code": "deadline_passed",
        "completed_at": NOW,
    }
    guard = Guard(frozenset({State.PENDING}), deadline_passed=True)
    return _moved(task_id, guard, event, changes)


def _moved(task_id: uuid.UUID, guard: Guard, event: events.Event, changes: dict[str, Any]) -> Task | None:
    task = statements.append(task_id=task_id, guard=guard, events=[event], changes=changes)
    return announce(task) if task is not None else None
