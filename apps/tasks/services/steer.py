"""What clients do to a task: cancel, answer, speak to it, put it back in the queue, change its priority."""

import uuid
from typing import Any

from django.db import transaction

from apps.audit.actions import Action
from apps.audit.recording import record
from apps.core.errors import InvalidError
from apps.tasks import events
from apps.tasks.models import AGEING_SECONDS_PER_PRIORITY, PRIORITY_LIMIT, Task
from apps.tasks.services import explain, statements
from apps.tasks.services.announce import announce
from apps.tasks.services.create import PROMPT_LIMIT
from apps.tasks.services.finish import NOW, RELEASED
from apps.tasks.services.statements import Guard, Sql
from apps.tasks.states import ASKING, HELD, State, sources_of

LIVE = frozenset({State.PENDING}) | HELD


def task_cancel(*, workspace_id: uuid.UUID, task_id: uuid.UUID, by: str, reason: str = "") -> Task:
    """End the task now. Its worker hears of it within one heartbeat, and nothing it sends later counts."""
    with transaction.atomic():
        task = cancelled(workspace_id=workspace_id, task_id=task_id, by=by, reason=reason)
        return _recorded(Action.TASK_CANCEL, task, by, reason=reason)


def cancelled(*, workspace_id: uuid.UUID, task_id: uuid.UUID, by: str, reason: str = "") -> Task:
    """As `task_cancel`, as part of something larger, which the audit trail tells of as a whole."""
    event = events.cancelled(reason=reason or f"cancelled by {by}", by=by)
    task = statements.append(
        task_id=task_id,
        guard=Guard(sources_of(State.CANCELLED), workspace_id=workspace_id),
        events=[event],
        changes={
            "state": str(State.CANCELLED),
            "error": event.data["reason"],
            "claim_token": None,
            "lease_expires_at": None,
            "completed_at": NOW,
        },
    )
    if task is None:
        raise explain.wrong_state(workspace_id, task_id, "cancelled")
    return announce(task, to_holder=True)


def task_answer(
    *, workspace_id: uuid.UUID, task_id: uuid.UUID, message: str, by: str, data: dict[str, Any] | None = None
) -> Task:
    """Answer the agent's question: the holder goes on, or, where none holds the task any more, it is pending again."""
    _check_message(message)
    told = {name: str(value) for name in ("option_id", "call_id") if (value := (data or {}).get(name))}
    with transaction.atomic():
        task = _answered(workspace_id, task_id, message, data or {}, by)
        return _recorded(Action.TASK_ANSWER, task, by, **told)


def _answered(workspace_id: uuid.UUID, task_id: uuid.UUID, message: str, data: dict[str, Any], by: str) -> Task:
    for resumes, condition in ((State.RUNNING, True), (State.PENDING, False)):
        event = events.answered(message=message, data=data, by=by, resumes=str(resumes))
        changes: dict[str, Any] = {"state": str(resumes)}
        if resumes is State.PENDING:
            changes |= {**RELEASED, "available_at": NOW, "max_attempts": Sql("t.max_attempts + 1", {})}
        guard = Guard(ASKING, workspace_id=workspace_id, leased=condition)
        task = statements.append(task_id=task_id, guard=guard, events=[event], changes=changes)
        if task is not None:
            return announce(task, to_holder=True)
    raise explain.wrong_state(workspace_id, task_id, "answered")


def task_message(
    *,
    workspace_id: uuid.UUID,
    task_id: uuid.UUID,
    message: str,
    by: str,
    interrupt: bool = False,
    data: dict[str, Any] | None = None,
) -> Task:
    """Speak to the task's session: delivered with the next heartbeat, or to whoever claims the task."""
    if not interrupt:
        _check_message(message)
    event = events.messaged(message=message, by=by, interrupt=interrupt, data=data)
    states = frozenset({State.RUNNING}) if interrupt else LIVE
    guard = Guard(states, workspace_id=workspace_id)
    with transaction.atomic():
        task = statements.append(task_id=task_id, guard=guard, events=[event], changes={})
        if task is None:
            raise explain.wrong_state(workspace_id, task_id, "interrupted" if interrupt else "spoken to")
        return _recorded(Action.TASK_MESSAGE, announce(task, to_holder=True), by, interrupt=interrupt)


def task_requeue(*, workspace_id: uuid.UUID, task_id: uuid.UUID, by: str) -> Task:
    """Take the task from its worker and make it pending at once; burns no attempt. The old claim is void."""
    event = events.requeued(reason=f"requeued by {by}", burn=False)
    changes = {
        **RELEASED,
        "state": str(State.PENDING),
        "error": "",
        "available_at": NOW,
        "max_attempts": Sql("t.max_attempts + 1", {}),
    }
    guard = Guard(sources_of(State.PENDING), workspace_id=workspace_id)
    with transaction.atomic():
        task = statements.append(task_id=task_id, guard=guard, events=[event], changes=changes)
        if task is None:
            raise explain.wrong_state(workspace_id, task_id, "requeued")
        return _recorded(Action.TASK_REQUEUE, announce(task, to_holder=True), by)


def task_reprioritise(*, workspace_id: uuid.UUID, task_id: uuid.UUID, priority: int, by: str) -> Task:
    """Give a waiting task another priority, and with it another place in the queue."""
    if not -PRIORITY_LIMIT <= priority <= PRIORITY_LIMIT:
        message = f"Give a whole number from -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}."
        raise InvalidError("The priority is out of range.", errors={"priority": [message]})
    head_start = priority * AGEING_SECONDS_PER_PRIORITY
    changes = {
        "priority": priority,
        "rank": Sql("extract(epoch FROM t.created_at) - %(head_start)s::int", {"head_start": head_start}),
    }
    guard = Guard(frozenset({State.PENDING}), workspace_id=workspace_id)
    event = events.reprioritised(priority=priority, by=by)
    with transaction.atomic():
        task = statements.append(task_id=task_id, guard=guard, events=[event], changes=changes)
        if task is None:
            raise explain.wrong_state(workspace_id, task_id, "given another priority")
        return _recorded(Action.TASK_REPRIORITISE, announce(task, to_holder=True), by, priority=priority)


def _recorded(action: Action, task: Task, by: str, **details: Any) -> Task:
    """The task; last in the transaction (docs/operations/audit.md). What was said stands in the task's own log."""
    said = {name: value for name, value in details.items() if value not in ("", None)}
    record(action, workspace_id=task.workspace_id, by=by, target=f"task:{task.id}", details=said)
    return task


def _check_message(message: str) -> None:
    if not message.strip():
        raise InvalidError("The message is empty.", errors={"message": ["Give a text."]})
    if len(message) > PROMPT_LIMIT:
        raise InvalidError("The message is too long.", errors={"message": [f"Give at most {PROMPT_LIMIT} characters."]})
