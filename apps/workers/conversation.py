"""A message that begins work, or goes on with a conversation: every face in which people speak to agents calls this.

A conversation is a context: its tasks share its id, and go on with one session of the agent's as long as they are for
the same place.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Case, When

from apps.core.errors import InvalidError
from apps.core.ids import new_id_text, parse_id
from apps.tasks.selectors import TaskFilter, placed_codebase, tasks_filtered, tasks_named
from apps.tasks.services import NewTask, kept_by, task_create
from apps.workers.selectors import is_machine_here

if TYPE_CHECKING:
    from apps.tasks.models import Task

TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What was said, and what for. Empty values: as the conversation has it, else the default.

    `references` are ids of tasks that a message without a context goes on from. `fork`: in a new session that begins
    with the history of the conversation's, which stays as it is.
    """

    text: str
    context_id: str = ""
    references: Sequence[str] = ()
    codebase_id: str = ""
    agent_type: str = ""
    model: str = ""
    target_agent: str = ""
    concurrency_key: str = ""
    priority: int = 0
    deadline_seconds: float | None = None
    fork: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    default_agent_type: str = "build"
    default_codebase_id: str = ""


def context_of(task: "Task") -> str:
    """The conversation that a task belongs to; one that was made outside of any is a conversation of its own."""
    return task.context_id or str(task.id)


def conversation_continue(*, workspace_id: uuid.UUID, saying: Saying, by: str) -> "Task":
    """A task made of a message; in the session of the conversation's last one, where that is for the same place.

    Raises what `task_create` raises, and InvalidError for a fork of nothing.
    """
    before = _before(workspace_id, saying)
    session_id = before.session_id if before and _same_place(before, saying) else ""
    if saying.fork and not session_id:
        message = "Refer to a task that has a session (referenceTaskIds), where it is."
        raise InvalidError(f"metadata.fork: {message}", errors={"metadata.fork": [message]})
    new = NewTask(
        title=_title(saying.text),
        prompt=saying.text,
        agent_type=saying.agent_type or (before.agent_type if before else saying.default_agent_type),
        model=saying.model or (before.model if before else ""),
        priority=saying.priority,
        requires=_keeper(before) if before and session_id else (),
        codebase_id=saying.codebase_id or (placed_codebase(before) if before else saying.default_codebase_id),
        target_agent=saying.target_agent or (before.target_agent if before else ""),
        session_id=session_id,
        resumes=before.id if before else None,
        context_id=saying.context_id or (context_of(before) if before and not saying.fork else new_id_text()),
        deadline_seconds=saying.deadline_seconds,
        concurrency_key=saying.concurrency_key or (before.concurrency_key if before else ""),
        metadata=saying.metadata,
        idempotency_key=saying.idempotency_key,
    )
    return task_create(workspace_id=workspace_id, new=new, by=by)


def conversation_tasks(workspace_id: uuid.UUID, context_id: str) -> "list[Task]":
    """The latest tasks of a conversation, the newest first, TASKS_MOST at most; none where there is no such one."""
    found = list(tasks_filtered(workspace_id, TaskFilter(context_id=context_id))[:TASKS_MOST])
    return found or ([alone] if (alone := _alone(workspace_id, context_id)) else [])


TASKS_MOST = 50


def _keeper(before: "Task") -> Sequence[str]:
    """The worker that has the conversation's session, while it is here; without it the conversation begins anew.

    Where a codebase is worked on, the heart knows who keeps the session.
    """
    if before.codebase_id or not is_machine_here(workspace_id=before.workspace_id, worker_id=before.worker_id):
        return ()
    return [kept_by(before.worker_id)]


def _before(workspace_id: uuid.UUID, saying: Saying) -> "Task | None":
    """The task whose conversation goes on, or is forked: then its own context may be given to the new one."""
    if saying.context_id and not (saying.fork and saying.references):
        return _last_of_context(workspace_id, saying.context_id)
    return _referenced(workspace_id, saying.references) if saying.references else None


def _referenced(workspace_id: uuid.UUID, references: Sequence[str]) -> "Task | None":
    """The latest of the tasks that a message without a context refers to; such as are not ours may be another's."""
    named = [(workspace_id, task_id) for task_id in map(parse_id, references) if task_id]
    return max(tasks_named(named), key=lambda task: task.moved_at, default=None)


def _last_of_context(workspace_id: uuid.UUID, context_id: str) -> "Task | None":
    """The newest task of the context that has an agent's session, else the newest; a task that was made outside of any
    is a context of its own."""
    found = tasks_filtered(workspace_id, TaskFilter(context_id=context_id))
    return found.order_by(_WITHOUT_SESSION, "-created_at", "-id").first() or _alone(workspace_id, context_id)


_WITHOUT_SESSION = Case(When(session_id="", then=1), default=0)


def _alone(workspace_id: uuid.UUID, context_id: str) -> "Task | None":
    """The task of this id, where it is a conversation of its own."""
    parsed = parse_id(context_id)
    return tasks_filtered(workspace_id, TaskFilter()).filter(id=parsed, context_id="").first() if parsed else None


def _same_place(before: "Task", saying: Saying) -> bool:
    """A session lives with one codebase and one agent; asked for another, the conversation begins anew there."""
    return (
        saying.codebase_id in ("", placed_codebase(before))
        and saying.agent_type in ("", before.agent_type)
        and saying.target_agent in ("", before.target_agent)
    )


def _title(text: str) -> str:
    line = text.strip().splitlines()[0].strip()
    return line if len(line) <= TITLE_LENGTH else f"{line[: TITLE_LENGTH - 1]}…"
