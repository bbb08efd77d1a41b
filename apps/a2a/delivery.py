"""A message becomes work: a task made of it, or more for the task that it names.

All of it runs on a database thread. Files that come with a message, and whom it wants told of its task, are kept in
the transaction that accepts it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from apps.a2a.files import keep_files
from apps.a2a.incoming import AGENT, Incoming, wrong
from apps.a2a.projection import context_of
from apps.a2a.push import config_follows_message
from apps.a2a.wishes import Wishes, read_wishes
from apps.accounts.principals import Principal
from apps.core.ids import new_id_text, parse_id
from apps.tasks.errors import WrongStateError
from apps.tasks.selectors import (
    ATTACHED,
    SAID,
    TaskFilter,
    is_asking,
    placed_codebase,
    task_get,
    tasks_filtered,
    tasks_named,
)
from apps.tasks.services import NewTask, kept_by, task_answer, task_create, task_message
from apps.workers.selectors import is_machine_here

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

TITLE_LENGTH = 80


def deliver(principal: Principal, incoming: Incoming) -> "Task":
    """Make a task of the message, or hand it to the task that it names."""
    wishes = read_wishes(incoming.metadata)
    if incoming.agent and wishes.target_agent not in ("", incoming.agent):
        raise wrong("metadata.target_agent", "This is the address of another agent.")
    text = incoming.text
    if not text.strip():
        raise wrong("message.parts", "Give some text.")
    if not incoming.brings_files:
        return _delivered(principal, incoming, wishes, text)
    kept = keep_files(principal, incoming)
    attached = False
    try:
        with transaction.atomic():
            task = _delivered(principal, kept.incoming, wishes, text)
            attached = kept.attach(task)
    finally:
        if not attached:
            kept.discard()
    return task


def _delivered(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> "Task":
    if incoming.push is None:
        return _at_its_task(principal, incoming, wishes, text)
    with transaction.atomic():
        task = _at_its_task(principal, incoming, wishes, text)
        config_follows_message(principal, task, incoming.push, is_reply=bool(incoming.task_id))
    return task


def _at_its_task(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> "Task":
    if incoming.task_id and wishes.fork:
        raise wrong("metadata.fork", "A task is not forked by speaking to it: name it in referenceTaskIds instead.")
    if incoming.task_id:
        return _hand_over(principal, incoming, text)
    return _begin(principal, incoming, wishes, text)


def _begin(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> "Task":
    before = _before(principal, incoming, wishes)
    session_id = before.session_id if before and _same_place(before, wishes, incoming.agent) else ""
    if wishes.fork and not session_id:
        raise wrong("metadata.fork", "Refer to a task that has a session (referenceTaskIds), where it is.")
    new = NewTask(
        title=_title(text),
        prompt=text,
        agent_type=wishes.agent_type or (before.agent_type if before else _default_agent(wishes)),
        model=wishes.model or (before.model if before else ""),
        priority=wishes.priority,
        requires=_keeper(before) if before and session_id else (),
        codebase_id=wishes.codebase_id or (placed_codebase(before) if before else ""),
        target_agent=wishes.target_agent or incoming.agent or (before.target_agent if before else ""),
        session_id=session_id,
        resumes=before.id if before else None,
        context_id=incoming.context_id or (context_of(before) if before and not wishes.fork else new_id_text()),
        deadline_seconds=wishes.deadline_seconds,
        concurrency_key=wishes.concurrency_key or (before.concurrency_key if before else ""),
        metadata=_metadata(incoming, wishes, text),
        idempotency_key=f"a2a:{incoming.message_id}:{incoming.digest}" if incoming.digest else None,
    )
    return task_create(workspace_id=principal.workspace_id, new=new, by=principal.name)


def _keeper(before: "Task") -> Sequence[str]:
    """The worker that has the conversation's session, while it is here; without it the conversation begins anew.

    Where a codebase is worked on, the heart knows who keeps the session.
    """
    if before.codebase_id or not is_machine_here(workspace_id=before.workspace_id, worker_id=before.worker_id):
        return ()
    return [kept_by(before.worker_id)]


def _default_agent(wishes: Wishes) -> str:
    """Who takes what is for nobody in particular; under a test kit, the agent that plays its part."""
    routed = wishes.codebase_id or wishes.target_agent or wishes.model
    return "conformance" if settings.A2A_CONFORMANCE and not routed else "build"


def _before(principal: Principal, incoming: Incoming, wishes: Wishes) -> "Task | None":
    """The task whose conversation goes on, or is forked: then its own context may be given to the new one."""
    if incoming.context_id and not (wishes.fork and incoming.references):
        return _last_of_context(principal, incoming.context_id)
    return _referenced(principal, incoming.references) if incoming.references else None


def _referenced(principal: Principal, references: Sequence[str]) -> "Task | None":
    """The latest of the tasks that a message without a context refers to; such as are not ours may be another's."""
    named = [(principal.workspace_id, task_id) for task_id in map(parse_id, references) if task_id]
    return max(tasks_named(named), key=lambda task: task.moved_at, default=None)


def _last_of_context(principal: Principal, context_id: str) -> "Task | None":
    """The newest task of the context that has an agent's session; a task of another face is a context of its own."""
    wanted = TaskFilter(context_id=context_id)
    found = tasks_filtered(principal.workspace_id, wanted).exclude(session_id="").first()
    if found is None and (parsed := parse_id(context_id)):
        found = tasks_filtered(principal.workspace_id, TaskFilter()).filter(id=parsed, context_id="").first()
    return found


def _same_place(before: "Task", wishes: Wishes, agent: str) -> bool:
    """A session lives with one codebase and one agent; asked for another, the conversation begins anew there."""
    return (
        wishes.codebase_id in ("", placed_codebase(before))
        and wishes.agent_type in ("", before.agent_type)
        and (wishes.target_agent or agent) in ("", before.target_agent)
    )


def _hand_over(principal: Principal, incoming: Incoming, text: str) -> "Task":
    """Answer the named task's question, or speak to it while it works; an ended one refuses (1.0 §3.1.1)."""
    task = task_get(workspace_id=principal.workspace_id, task_id=incoming.task_id)
    if incoming.context_id and incoming.context_id != context_of(task):
        raise wrong("message.contextId", "The task belongs to another context.")
    workspace_id, by = principal.workspace_id, principal.name
    data: Json = {SAID: _said(incoming, text)}
    if incoming.files:
        data["files"] = incoming.files
    if is_asking(task):
        try:
            return task_answer(workspace_id=workspace_id, task_id=task.id, message=text, by=by, data=data)
        except WrongStateError:
            pass  # somebody else answered first: then it is a message like any other
    return task_message(workspace_id=workspace_id, task_id=task.id, message=text, by=by, data=data)


def _title(text: str) -> str:
    line = text.strip().splitlines()[0].strip()
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"


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
