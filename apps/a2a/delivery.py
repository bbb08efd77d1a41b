"""A message becomes work: a task made of it, or more for the task that it names.

All of it runs on a database thread. Files that come with a message, and whom it wants told of its task, are kept in
the transaction that accepts it. A message is taken once, however often it is sent: one that makes a task by its
idempotency key, one for a task by what the task's log has of it already.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from apps.a2a.files import keep_files
from apps.a2a.incoming import AGENT, Incoming, wrong
from apps.a2a.push import config_follows_message
from apps.a2a.wishes import Wishes, read_wishes
from apps.accounts.principals import Principal
from apps.tasks.errors import WrongStateError
from apps.tasks.log.extract import read_kinds
from apps.tasks.selectors import (
    ATTACHED,
    SAID,
    is_asking,
    task_get,
)
from apps.tasks.services import task_answer, task_message
from apps.workers.conversation import Saying, context_of, conversation_continue

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

SENDING = "sending"
"""Where an event keeps what tells its message sent again from another one under the same id."""


class Taken(NamedTuple):
    """The task of a message, and whether that had not come before (as far as is known here)."""

    task: "Task"
    is_new: bool


def deliver(principal: Principal, incoming: Incoming) -> "Task":
    """Make a task of the message, or hand it to the task that it names."""
    wishes = read_wishes(incoming.metadata)
    if incoming.agent and wishes.target_agent not in ("", incoming.agent):
        raise wrong("metadata.target_agent", "This is the address of another agent.")
    text = incoming.text
    if not text.strip():
        raise wrong("message.parts", "Give some text.")
    if not incoming.brings_files:
        return _delivered(principal, incoming, wishes, text).task
    kept = keep_files(principal, incoming)
    attached = False
    try:
        with transaction.atomic():
            task, is_new = _delivered(principal, kept.incoming, wishes, text)
            attached = is_new and kept.attach(task)
    finally:
        if not attached:
            kept.discard()
    return task


def _delivered(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> Taken:
    if incoming.push is None:
        return _at_its_task(principal, incoming, wishes, text)
    with transaction.atomic():
        task, is_new = _at_its_task(principal, incoming, wishes, text)
        if is_new:
            config_follows_message(principal, task, incoming.push, is_reply=bool(incoming.task_id))
    return Taken(task, is_new)


def _at_its_task(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> Taken:
    if not incoming.task_id:
        return Taken(_begin(principal, incoming, wishes, text), is_new=True)
    if wishes.fork:
        raise wrong("metadata.fork", "A task is not forked by speaking to it: name it in referenceTaskIds instead.")
    if not incoming.digest:
        return Taken(_hand_over(principal, incoming, text), is_new=True)
    with transaction.atomic():
        _one_sending_at_a_time(principal, incoming)
        task = task_get(workspace_id=principal.workspace_id, task_id=incoming.task_id)
        if _was_said(task, incoming):
            return Taken(task, is_new=False)
        return Taken(_hand_over(principal, incoming, text), is_new=True)


def _begin(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> "Task":
    saying = Saying(
        text=text,
        context_id=incoming.context_id,
        references=incoming.references,
        codebase_id=wishes.codebase_id,
        agent_type=wishes.agent_type,
        model=wishes.model,
        target_agent=wishes.target_agent or incoming.agent,
        concurrency_key=wishes.concurrency_key,
        priority=wishes.priority,
        deadline_seconds=wishes.deadline_seconds,
        fork=wishes.fork,
        metadata=_metadata(incoming, wishes, text),
        idempotency_key=f"a2a:{incoming.message_id}:{incoming.digest}" if incoming.digest else None,
        default_agent_type=_default_agent(wishes),
    )
    return conversation_continue(workspace_id=principal.workspace_id, saying=saying, by=principal.name)


def _default_agent(wishes: Wishes) -> str:
    """Who takes what is for nobody in particular; under a test kit, the agent that plays its part."""
    routed = wishes.codebase_id or wishes.target_agent or wishes.model
    return "conformance" if settings.A2A_CONFORMANCE and not routed else "build"


def _hand_over(principal: Principal, incoming: Incoming, text: str) -> "Task":
    """Answer the named task's question, or speak to it while it works; an ended one refuses (1.0 §3.1.1)."""
    task = task_get(workspace_id=principal.workspace_id, task_id=incoming.task_id)
    if incoming.context_id and incoming.context_id != context_of(task):
        raise wrong("message.contextId", "The task belongs to another context.")
    workspace_id, by = principal.workspace_id, principal.name
    data: Json = {SAID: _said(incoming, text)}
    if incoming.digest:
        data[SENDING] = incoming.digest
    if incoming.files:
        data["files"] = incoming.files
    if is_asking(task):
        try:
            return task_answer(workspace_id=workspace_id, task_id=task.id, message=text, by=by, data=data)
        except WrongStateError:
            pass  # somebody else answered first: then it is a message like any other
    return task_message(workspace_id=workspace_id, task_id=task.id, message=text, by=by, data=data)


def _one_sending_at_a_time(principal: Principal, incoming: Incoming) -> None:
    """The same message, sent again before its first sending is through, waits until that is."""
    name = f"a2a:{principal.workspace_id}:{incoming.task_id}:{incoming.message_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _was_said(task: "Task", incoming: Incoming) -> bool:
    """Whether the task's log has the message already."""
    if not task.last_steering_seq:
        return False
    said = (line.data.get("data") or {} for line in read_kinds(task.id, ("message", "answered")))
    return any(data.get(SENDING) == incoming.digest for data in said)


def _metadata(incoming: Incoming, wishes: Wishes, text: str) -> Json:
    metadata: Json = {}
    if said := _said(incoming, text):
        metadata[SAID] = said
    if wishes.notify_email:
        metadata["notify_email"] = wishes.notify_email
    for name in ("agent", "artifacts", "fork"):
        if value := getattr(wishes, name):
            metadata[name] = value
    if incoming.files:
        metadata[ATTACHED] = len(incoming.files)
    return metadata


def _said(incoming: Incoming, text: str) -> Json:
    """What of the message its text does not tell."""
    said = {
        "messageId": incoming.message_id,
        "role": incoming.role if incoming.role == AGENT else "",
        "parts": incoming.parts if incoming.parts != [{"text": text}] else [],
        "metadata": incoming.metadata,
        "extensions": incoming.extensions,
        "referenceTaskIds": incoming.references,
    }
    return {name: value for name, value in said.items() if value}
