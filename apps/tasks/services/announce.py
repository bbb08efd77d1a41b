"""After the commit: tell whoever waits that a task's log has grown, or that tasks in the queue have room now."""

import uuid
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from apps.core.waiter import WakeUp
from apps.core.wakeups import publish
from apps.tasks.models import Task
from apps.tasks.states import State

ROOM_HINTS = 20
"""Of the waiting tasks, how many workers are told of when a limit has room again; they look for more themselves."""


def announce(task: Task, *, to_holder: bool = False) -> Task:
    """Send a wake-up for `task` once the present transaction commits; gives the task back.

    `to_holder` when its worker must look: it was spoken to, answered, or stopped by somebody else.
    """
    transaction.on_commit(partial(publish, _wakeup(task, to_holder=to_holder)))
    if task.given_back:
        transaction.on_commit(partial(announce_room, task.workspace_id, task.queue))
    return task


def announce_all(tasks: list[Task]) -> list[Task]:
    """As `announce`, with one message for all."""
    if tasks:
        transaction.on_commit(partial(publish, *map(_wakeup, tasks)))
    return tasks


def announce_room(workspace_id: uuid.UUID, queue: str = "") -> None:
    """Tell workers of the next tasks (of `queue`, else of all): a limit that stopped them may have room now."""
    waiting = Task.objects.filter(workspace_id=workspace_id, state=State.PENDING, available_at__lte=Now())
    if queue:
        waiting = waiting.filter(queue=queue)
    facts = waiting.order_by("rank", "id").only(
        "workspace_id", "codebase_id", "queue", "state", "last_seq", "worker_id"
    )
    publish(*map(_wakeup, facts[:ROOM_HINTS]))


def _wakeup(task: Task, *, to_holder: bool = False) -> WakeUp:
    queue = task.queue if task.state == State.PENDING else ""
    worker = task.worker_id if to_holder else ""
    return WakeUp(str(task.workspace_id), str(task.id), task.last_seq, task.codebase_id or "", queue, worker)
