"""What A2A's methods do, on the heart: send, look, cancel. Every binding and version calls these.

Results are in the projection's spelling (1.0). Database work runs in one hop of the thread pool for each operation;
whoever waits for a task holds no thread and no connection.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from a2a.utils.errors import TaskNotFoundError
from django.conf import settings
from django.db import transaction

from apps.a2a.errors import not_cancelable
from apps.a2a.files import keep_files
from apps.a2a.incoming import AGENT, Incoming, wrong
from apps.a2a.looking import task_look
from apps.a2a.projection import DIRECT, ENDINGS, METADATA_KEY, TOLD, context_of, task_view
from apps.a2a.push import config_follows_message
from apps.a2a.wishes import Wishes, read_wishes
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import ConflictError
from apps.core.ids import new_id_text, parse_id
from apps.core.stopping import stopping
from apps.tasks import log
from apps.tasks.errors import WrongStateError
from apps.tasks.log import LogEvent
from apps.tasks.log.extract import read_kinds
from apps.tasks.selectors import (
    ATTACHED,
    TaskFilter,
    is_asking,
    is_terminal,
    placed_codebase,
    task_get,
    tasks_filtered,
    tasks_named,
)
from apps.tasks.services import NewTask, task_answer, task_cancel, task_create, task_message

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]

TITLE_LENGTH = 80
SETTLING = ENDINGS | {"asked"}
"""Kinds of events after which a blocking send returns: the task has ended or needs its client (1.0 §3.2.2)."""


async def message_send(principal: Principal, incoming: Incoming) -> Json:
    """`{"task": …}` that the message made or went to; where the client waits, as it is when it settles or time is up.

    `{"message": …}` where it waited, and the agent answered so directly that there is no task to speak of.
    """
    task = await in_database(deliver, principal, incoming)
    if incoming.blocking and not _is_settled(task):
        await _settled(task)
        return _answer(await task_look(task.workspace_id, task.id, incoming.history_length), incoming)
    if task.last_seq == 1:
        return {"task": task_view(task, history_length=incoming.history_length)}
    return {"task": await task_look(task.workspace_id, task.id, incoming.history_length)}


async def task_end(principal: Principal, task_id: str) -> Json:
    """Cancel the task; TaskNotCancelableError where it has ended."""
    return await in_database(_cancel, principal, task_id)


# In the database's threads -------------------------------------------------------------------------------------------


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
    if incoming.task_id:
        return _hand_over(principal, incoming, text)
    return _begin(principal, incoming, wishes, text)


def told(task: "Task", *, whole: bool = False) -> list[LogEvent]:
    """The events that the task's view is made of. Of one that ended with a result, what led to it only if `whole`."""
    if task.last_seq == 1:
        return []
    kinds = TOLD if whole or not task.result else [kind for kind in TOLD if kind not in ("output", "status")]
    return read_kinds(task.id, kinds)


def _answer(view: Json, incoming: Incoming) -> Json:
    """What a send that waited gives: the task, or the message that stands for it."""
    message = view["status"].get("message")
    if not incoming.task_id and message is not None and message.get("metadata", {}).get(DIRECT):
        return {"message": {name: value for name, value in message.items() if name != "taskId"}}
    return {"task": view}


def _cancel(principal: Principal, task_id: str) -> Json:
    parsed = parse_id(task_id)
    if parsed is None:
        raise TaskNotFoundError("There is no such task.")
    try:
        task = task_cancel(workspace_id=principal.workspace_id, task_id=parsed, by=principal.name)
    except ConflictError as error:
        raise not_cancelable(error) from error
    return task_view(task, told(task))


def _begin(principal: Principal, incoming: Incoming, wishes: Wishes, text: str) -> "Task":
    before = _before(principal, incoming)
    new = NewTask(
        title=_title(text),
        prompt=text,
        agent_type=wishes.agent_type or (before.agent_type if before else _default_agent(wishes)),
        model=wishes.model or (before.model if before else ""),
        priority=wishes.priority,
        codebase_id=wishes.codebase_id or (placed_codebase(before) if before else ""),
        target_agent=wishes.target_agent or incoming.agent or (before.target_agent if before else ""),
        session_id=before.session_id if before and _same_place(before, wishes) else "",
        context_id=incoming.context_id or (context_of(before) if before else new_id_text()),
        deadline_seconds=wishes.deadline_seconds,
        concurrency_key=wishes.concurrency_key or (before.concurrency_key if before else ""),
        metadata=_metadata(incoming, wishes, text),
        idempotency_key=f"a2a:{incoming.message_id}:{incoming.digest}" if incoming.digest else None,
    )
    return task_create(workspace_id=principal.workspace_id, new=new, by=principal.name)


def _default_agent(wishes: Wishes) -> str:
    """Who takes what is for nobody in particular; under a test kit, the agent that plays its part."""
    routed = wishes.codebase_id or wishes.target_agent or wishes.model
    return "conformance" if settings.A2A_CONFORMANCE and not routed else "build"


def _before(principal: Principal, incoming: Incoming) -> "Task | None":
    """The task whose conversation goes on."""
    if incoming.context_id:
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


def _same_place(before: "Task", wishes: Wishes) -> bool:
    """A session lives with one codebase and one agent; asked for another, the conversation begins anew there."""
    return wishes.codebase_id in ("", placed_codebase(before)) and wishes.agent_type in ("", before.agent_type)


def _hand_over(principal: Principal, incoming: Incoming, text: str) -> "Task":
    """Answer the named task's question, or speak to it while it works; an ended one refuses (1.0 §3.1.1)."""
    task = task_get(workspace_id=principal.workspace_id, task_id=incoming.task_id)
    if incoming.context_id and incoming.context_id != context_of(task):
        raise wrong("message.contextId", "The task belongs to another context.")
    workspace_id, by = principal.workspace_id, principal.name
    data: Json = {METADATA_KEY: _said(incoming, text)}
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
        metadata[METADATA_KEY] = said
    if wishes.notify_email:
        metadata["notify_email"] = wishes.notify_email
    if wishes.artifacts:
        metadata["artifacts"] = wishes.artifacts
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


# Waiting -------------------------------------------------------------------------------------------------------------


def _is_settled(task: "Task") -> bool:
    return is_terminal(task) or is_asking(task)


async def _settled(task: "Task") -> None:
    """Until the task has settled, `A2A_BLOCKING_TIMEOUT` has passed, or this process is about to end."""
    try:
        async with asyncio.timeout(settings.A2A_BLOCKING_TIMEOUT) as until:
            with stopping.calling(lambda: _end(until)):
                await _until_settled(task)
    except TimeoutError:
        if not until.expired():
            raise


def _end(until: asyncio.Timeout) -> None:
    if not until.expired():
        until.reschedule(0)


async def _until_settled(task: "Task") -> None:
    async with aclosing(log.follow(task.id, task.last_seq)) as pages:
        async for page in pages:
            if any(line.kind in SETTLING for line in page):
                return
