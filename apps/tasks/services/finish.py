"""How a holder's attempt ends: finished for good, tried again, snoozed, declined or left with a question."""

import random
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from apps.core.errors import InvalidError
from apps.tasks import events
from apps.tasks.events import Data, Event
from apps.tasks.models import Task, TaskEvent
from apps.tasks.services import explain, statements
from apps.tasks.services.announce import announce
from apps.tasks.services.follow_up import follow_up
from apps.tasks.services.hold import Claim
from apps.tasks.services.statements import Guard, Sql
from apps.tasks.states import ASKING, HELD, State, sources_of

BACKOFF_FIRST = 2.0
BACKOFF_MOST = 300.0
SNOOZE_MOST = 7 * 86_400.0
NOW = Sql("clock_timestamp()", {})
RELEASED = {"claim_token": None, "lease_expires_at": None, "worker_id": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a worker's attempt ended. `retry` asks for another attempt after a failure, while attempts are left.

    `direct`: the result is a plain answer, as to a greeting, and not the outcome of a piece of work.
    `heard_seq` is the last steering event that the agent acted on; what was said after it becomes a task of its own.
    Workers of before do not tell (None).
    """

    status: State
    result: str = ""
    error: str = ""
    error_code: str = ""
    session_id: str = ""
    usage: Data | None = None
    retry: bool = False
    direct: bool = False
    heard_seq: int | None = None


def task_finish(*, claim: Claim, outcome: Outcome) -> Task:
    """End the task as its holder says: completed, failed, cancelled or rejected. Said twice, it counts once.

    A stale claim gets StaleClaimError and changes nothing. A failure with `retry` is another attempt, after a pause.
    """
    if outcome.status is State.FAILED and outcome.retry:
        retried = _retry(claim, outcome)
        if retried is not None:
            return retried
    guard = claim.guard(sources_of(outcome.status) & HELD)
    task = statements.append(task_id=claim.task_id, guard=guard, events=[_ending(outcome)], changes=_ended(outcome))
    if task is None:
        task = _same_ending_before(claim, outcome)
    if outcome.heard_seq is not None and task.last_steering_seq > outcome.heard_seq:
        follow_up(task, heard_seq=outcome.heard_seq)
    return announce(task)


def _ending(outcome: Outcome) -> Event:
    usage = outcome.usage or {}
    match outcome.status:
        case State.COMPLETED:
            return events.completed(
                result=outcome.result, session_id=outcome.session_id, usage=usage, direct=outcome.direct
            )
        case State.FAILED:
            return events.failed(
                error=outcome.error, code=outcome.error_code, session_id=outcome.session_id, usage=usage
            )
        case State.CANCELLED:
            return events.cancelled(reason=outcome.error or "cancelled by its worker", by="worker")
        case _:
            return events.rejected(reason=outcome.error or "rejected by its worker")


def _ended(outcome: Outcome) -> dict[str, Any]:
    """The row after the ending; the claim token stays, so that the same ending sent again is recognised."""
    event = _ending(outcome)
    facts = {"session_id": "", "usage": {}}
    events.FOLDS[event.kind](facts, event.data)
    changes: dict[str, Any] = {
        "state": str(facts["state"]),
        "result": facts["result"],
        "error": facts["error"],
        "error_code": facts["error_code"],
        "lease_expires_at": None,
        "completed_at": NOW,
    }
    if facts["session_id"]:
        changes["session_id"] = facts["session_id"]
    if facts["usage"]:
        changes["usage"] = facts["usage"]
    return changes


def _same_ending_before(claim: Claim, outcome: Outcome) -> Task:
    """The task when this very ending was accepted earlier (its answer got lost); else the refusal."""
    task = Task.objects.filter(
        workspace_id=claim.workspace_id, id=claim.task_id, claim_token=claim.token, state=outcome.status
    ).first()
    if task is None:
        raise explain.stale_claim(claim.workspace_id, claim.task_id)
    return task


def _retry(claim: Claim, outcome: Outcome) -> Task | None:
    """Back to pending after a pause, or None where the attempts are spent (or the claim is stale)."""
    held = Task.objects.filter(id=claim.task_id, workspace_id=claim.workspace_id, claim_token=claim.token)
    attempt = held.values_list("attempt", flat=True).first()
    if attempt is None:
        return None
    event = events.requeued(reason="failed", error=outcome.error, delay_seconds=backoff_seconds(attempt))
    guard = claim.guard(HELD, attempts_left=True)
    return send_back(task_id=claim.task_id, guard=guard, event=event)


def backoff_seconds(attempt: int) -> float:
    """The pause before the attempt after `attempt`: doubling from 2 s to 5 min, with jitter of half."""
    full: float = min(BACKOFF_MOST, BACKOFF_FIRST * 2.0 ** (attempt - 1))
    return round(full * random.uniform(0.5, 1.0), 3)  # noqa: S311 (jitter, not a secret)


def send_back(*, task_id: Any, guard: Guard, event: Event) -> Task | None:
    """Make the task pending by a `requeued` event, available after the event's delay; None where the guard fails."""
    changes: dict[str, Any] = {
        **RELEASED,
        "state": str(State.PENDING),
        "error": event.data["error"],
        "available_at": Sql(
            "clock_timestamp() + make_interval(secs => %(delay)s)",
            {"delay": float(event.data["delay_seconds"])},
        ),
    }
    if not event.data["burn"]:
        changes["max_attempts"] = Sql("t.max_attempts + 1", {})
    task = statements.append(task_id=task_id, guard=guard, events=[event], changes=changes)
    return announce(task) if task is not None else None


def task_snooze(*, claim: Claim, seconds: float, reason: str) -> Task:
    """Give the task back for `seconds` (a provider's limit, a drain); burns no attempt. While it has to wait, the
    reason stands in its row, too."""
    delay = max(0.0, min(seconds, SNOOZE_MOST))
    event = events.requeued(reason=reason, error=reason if delay else "", delay_seconds=delay, burn=False)
    task = send_back(task_id=claim.task_id, guard=claim.guard(HELD), event=event)
    if task is None:
        raise explain.stale_claim(claim.workspace_id, claim.task_id)
    return task


def task_decline(*, claim: Claim, worker_id: str, reason: str) -> Task:
    """Give the task back because this worker cannot do it; it is not offered to that worker again."""
    declined = events.declined(worker_id=worker_id, reason=reason)
    back = events.requeued(reason="declined", burn=False)
    changes: dict[str, Any] = {
        **RELEASED,
        "state": str(State.PENDING),
        "error": "",
        "declined_by": Sql("array_append(t.declined_by, %(declined)s::text)", {"declined": worker_id}),
        "max_attempts": Sql("t.max_attempts + 1", {}),
    }
    return _released(claim, [declined, back], changes)


def task_leave_question(*, claim: Claim, question: str, options: list[Data], auth: bool = False) -> Task:
    """End the attempt with a question; whoever claims the task after the answer resumes its session.

    Without a text the question that the task asks already stays open; where that has just been answered, the task is
    pending again.
    """
    if not question:
        return _leave_asking(claim)
    state = State.AUTH_REQUIRED if auth else State.INPUT_REQUIRED
    asked = events.asked(state=state, question=question, options=options)
    left = events.lease_lost(worker_id="")
    return _released(claim, [asked, left], {**RELEASED, "state": str(state)})


def _leave_asking(claim: Claim) -> Task:
    left = [events.lease_lost(worker_id="")]
    task = statements.append(task_id=claim.task_id, guard=claim.guard(ASKING), events=left, changes=dict(RELEASED))
    if task is not None:
        return announce(task)
    asked = TaskEvent.objects.filter(task_id=claim.task_id, seq__gt=F("task__claim_seq"), kind="asked")
    if not asked.filter(task__claim_token=claim.token, task__state=State.RUNNING).exists():
        if not Task.objects.filter(id=claim.task_id, claim_token=claim.token).exists():
            raise explain.stale_claim(claim.workspace_id, claim.task_id)
        raise InvalidError("No question is open.", errors={"question": ["Say what to ask."]})
    return task_snooze(claim=claim, seconds=0, reason="answered while its worker let go")


def _released(claim: Claim, happened: list[Event], changes: dict[str, Any]) -> Task:
    task = statements.append(task_id=claim.task_id, guard=claim.guard(HELD), events=happened, changes=changes)
    if task is None:
        raise explain.stale_claim(claim.workspace_id, claim.task_id)
    return announce(task)
