"""What A2A's methods do, on the heart: send, look, cancel. Every binding and version calls these.

Results are in the projection's spelling (1.0). Database work runs in one hop of the thread pool for each operation;
whoever waits for a task holds no thread and no connection.
"""

from typing import TYPE_CHECKING, Any

from a2a.utils.errors import TaskNotFoundError
from django.conf import settings

from apps.a2a.delivery import deliver
from apps.a2a.errors import not_cancelable
from apps.a2a.incoming import Incoming
from apps.a2a.looking import task_look, told
from apps.a2a.projection import DIRECT, task_view
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import ConflictError
from apps.core.ids import parse_id
from apps.tasks import log
from apps.tasks.selectors import (
    is_asking,
    is_terminal,
)
from apps.tasks.services import task_cancel

if TYPE_CHECKING:
    from apps.tasks.models import Task

Json = dict[str, Any]


async def message_send(principal: Principal, incoming: Incoming) -> Json:
    """`{"task": …}` that the message made or went to; where the client waits, as it is when it settles or time is up.

    `{"message": …}` where it waited, and the agent answered so directly that there is no task to speak of.
    """
    task = await in_database(deliver, principal, incoming)
    if incoming.blocking and not _is_settled(task):
        await log.settled(task.id, task.last_seq, seconds=settings.A2A_BLOCKING_TIMEOUT)
        return _answer(await task_look(task.workspace_id, task.id, incoming.history_length), incoming)
    if task.last_seq == 1:
        return {"task": task_view(task, history_length=incoming.history_length)}
    return {"task": await task_look(task.workspace_id, task.id, incoming.history_length)}


async def task_end(principal: Principal, task_id: str) -> Json:
    """Cancel the task; TaskNotCancelableError where it has ended."""
    return await in_database(_cancel, principal, task_id)


# In the database's threads -------------------------------------------------------------------------------------------


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


# Waiting -------------------------------------------------------------------------------------------------------------


def _is_settled(task: "Task") -> bool:
    return is_terminal(task) or is_asking(task)
