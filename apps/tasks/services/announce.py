"""After the commit: tell whoever waits that a task's log has grown."""

from functools import partial

from django.db import transaction

from apps.core.wakeups import WakeUp, publish
from apps.tasks.models import Task
from apps.tasks.states import State


def announce(task: Task, *, to_holder: bool = False) -> Task:
    """Send a wake-up for `task` once the present transaction commits; gives the task back.

    `to_holder` when its worker must look: it was spoken to, answered, or stopped by somebody else.
    """
    wakeup = WakeUp(
        workspace=str(task.workspace_id),
        task=str(task.id),
        seq=task.last_seq,
        codebase=task.codebase_id or "",
        queue=task.queue if task.state == State.PENDING else "",
        worker=task.worker_id if to_holder else "",
    )
    transaction.on_commit(partial(publish, wakeup))
    return task
