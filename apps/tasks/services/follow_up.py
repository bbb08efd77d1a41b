"""Tasks that go on with an ended one's session.

What people said to a task while it ended was acknowledged, so it is not lost, but becomes a task of its own; and one
that has ended is taken up again when somebody asks.
"""

import uuid
from typing import Any

from apps.tasks.attachments import ATTACHED, SAID, files_in_message
from apps.tasks.errors import TaskNotFoundError, WrongStateError
from apps.tasks.forks import FORK
from apps.tasks.models import Task, TaskEvent
from apps.tasks.services.create import TITLE_LIMIT, NewTask, task_create


def follow_up(task: Task, *, heard_seq: int) -> Task | None:
    """A task that goes on with the ended one's session by what was said after `heard_seq`; None where nothing was.

    Made once however often the ending arrives: a worker repeats it until it is acknowledged, so a crash in between
    loses nothing either.
    """
    unheard = TaskEvent.objects.filter(task_id=task.id, seq__gt=heard_seq, kind="message").order_by("seq")
    said = [event.data for event in unheard if event.data["message"].strip()]
    if not said:
        return None
    new = _continuing(
        task,
        title=f"Follow-up: {task.title}"[:TITLE_LIMIT],
        prompt="\n\n".join(one["message"] for one in said),
        metadata=_metadata(task, said),
        idempotency_key=f"follow-up:{task.id}",
    )
    return task_create(workspace_id=task.workspace_id, new=new, by=said[-1]["by"])


def task_resume(*, workspace_id: uuid.UUID, task_id: uuid.UUID, prompt: str = "", by: str) -> Task:
    """A new task that takes an ended one up again: its session, if it came to have one, and all that it was made with.

    An empty `prompt` is the ended task's own. WrongStateError for a task that has not ended: it can be spoken to.
    """
    task = Task.objects.filter(workspace_id=workspace_id, id=task_id).first()
    if task is None:
        raise TaskNotFoundError("There is no such task.")
    if not task.is_terminal:
        raise WrongStateError("The task has not ended: speak to it instead.")
    new = _continuing(
        task, title=task.title, prompt=prompt if prompt.strip() else task.prompt, metadata=_metadata(task, [])
    )
    return task_create(workspace_id=workspace_id, new=new, by=by)


def _continuing(task: Task, **said: Any) -> NewTask:
    return NewTask(
        agent_type=task.agent_type,
        model=task.model,
        priority=task.priority,
        codebase_id=task.codebase_id or "",
        requires=task.requires,
        target_agent=task.target_agent,
        session_id=task.session_id,
        resumes=task.id,
        context_id=task.context_id,
        concurrency_key=task.concurrency_key,
        **said,
    )


def _metadata(task: Task, said: list[dict[str, Any]]) -> dict[str, Any]:
    """The ended task's, but for what was true of its own message alone; one new message brings its own."""
    kept = {name: value for name, value in task.metadata.items() if name not in (SAID, ATTACHED, FORK)}
    of_message = said[0].get("data", {}).get(SAID) if len(said) == 1 else None
    return kept | {"follows": str(task.id)} | ({SAID: of_message} if of_message else {}) | _attached(said)


def _attached(said: list[dict[str, Any]]) -> dict[str, Any]:
    """Notes, for its claim, that files came with what was said; they stay with the ended task."""
    files = sum(len(files_in_message(one)) for one in said)
    return {ATTACHED: files} if files else {}
