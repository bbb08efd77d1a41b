"""What clients ask of a codebase as a whole: look for it on the workers, work in it, speak to its agent, stop, remove.

Every face that knows codebases (REST, MCP, e-mail) calls these, so that all mean the same by them.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.audit.actions import Action
from apps.audit.recording import record
from apps.codebases.models import Codebase
from apps.codebases.selectors import codebase_get
from apps.codebases.services import NewCodebase, codebase_register, codebase_retire
from apps.core.errors import ConflictError
from apps.tasks import events
from apps.tasks.errors import TaskEndedError, WrongStateError
from apps.tasks.models import QueueLimit, Task
from apps.tasks.services import statements
from apps.tasks.services.announce import announce
from apps.tasks.services.create import REGISTER_CODEBASE, NewTask, task_create
from apps.tasks.services.finish import NOW
from apps.tasks.services.statements import Guard
from apps.tasks.services.steer import LIVE, cancelled, task_answer, task_cancel, task_message
from apps.tasks.services.trees import WORKING_TREE
from apps.tasks.states import ASKING, HELD, State

TITLE_LENGTH = 80
DELIVERY_TRIES = 3


def codebase_request(*, workspace_id: uuid.UUID, new: NewCodebase, by: str) -> tuple[Codebase, Task | None]:
    """Register a codebase. Without a worker that has it, the task that looks for one goes with it.

    With a worker, tasks that were still looking are no longer needed and are cancelled.
    """
    with transaction.atomic():
        codebase = codebase_register(workspace_id=workspace_id, new=new)
        looking = _tasks(workspace_id).filter(
            agent_type=REGISTER_CODEBASE, metadata__codebase_id=codebase.id, state__in=_texts(LIVE)
        )
        if codebase.status == Codebase.Status.ACTIVE:
            for task in looking.filter(state=State.PENDING):
                _end_search(task)
            if new.agent_config:  # workers say at each start what they have, and nothing of this
                _record(Action.CODEBASE_REGISTER, codebase, by, agent_config=new.agent_config)
            return codebase, None
        task = looking.first() or _look_for(codebase, by)
        _record(Action.CODEBASE_REGISTER, codebase, by, agent_config=new.agent_config)
        return codebase, task


def _record(action: Action, codebase: Codebase, by: str, **details: Any) -> None:
    said = {"name": codebase.name, "path": codebase.path, **{name: told for name, told in details.items() if told}}
    record(action, workspace_id=codebase.workspace_id, by=by, target=f"codebase:{codebase.id}", details=said)


def _look_for(codebase: Codebase, by: str) -> Task:
    new = NewTask(
        title=f"Register the codebase {codebase.name}",
        prompt=f"Check that the folder {codebase.path} exists on this machine, and confirm the codebase.",
        agent_type=REGISTER_CODEBASE,
        metadata={"codebase_id": codebase.id, "name": codebase.name, "path": codebase.path},
    )
    return task_create(workspace_id=codebase.workspace_id, new=new, by=by)


def _end_search(task: Task) -> None:
    """Only while no worker holds it: the holder is the one that confirms just now, and finishes it itself."""
    event = events.cancelled(reason="a worker has registered the codebase", by="server")
    changes = {"state": str(State.CANCELLED), "error": event.data["reason"], "completed_at": NOW}
    guard = Guard(frozenset({State.PENDING}))
    ended = statements.append(task_id=task.id, guard=guard, events=[event], changes=changes)
    if ended is not None:
        announce(ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants done in a codebase. Empty values: as the resumed conversation had it, else the default.

    `resumes` is the earlier task whose `session_id` it goes on with, where the caller knows it.
    """

    prompt: str
    title: str = ""
    agent_type: str = ""
    model: str = ""
    session_id: str = ""
    resumes: uuid.UUID | None = None
    concurrency_key: str = ""
    priority: int = 0
    idempotency_key: str | None = None
    files: Sequence[Any] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def codebase_trigger(*, workspace_id: uuid.UUID, codebase_id: str, wish: Wish, by: str) -> Task:
    """Make a task in a codebase out of a prompt."""
    metadata = {**wish.metadata, **({"files": list(wish.files)} if wish.files else {})}
    new = NewTask(
        title=wish.title or title_of(wish.prompt),
        prompt=wish.prompt,
        agent_type=wish.agent_type or "build",
        model=wish.model,
        codebase_id=codebase_id,
        session_id=wish.session_id,
        resumes=wish.resumes,
        concurrency_key=wish.concurrency_key,
        priority=wish.priority,
        idempotency_key=wish.idempotency_key,
        metadata=metadata,
    )
    return task_create(workspace_id=workspace_id, new=new, by=by)


def title_of(prompt: str) -> str:
    """A title for a task that was given none: the prompt's first line, cut."""
    line = next((line.strip() for line in prompt.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def codebase_message(*, workspace_id: uuid.UUID, codebase_id: str, wish: Wish, by: str) -> tuple[Task, bool]:
    """Say something to the codebase's agent; returns the task that hears it, and whether it was running already.

    A running task hears it at once, one that asked takes it as the answer. Otherwise a new task goes on with the last
    conversation.
    """
    codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
    for _ in range(DELIVERY_TRIES):
        running = _current(workspace_id, codebase_id)
        if running is None:
            break
        say = task_answer if running.is_asking else task_message
        with suppress(TaskEndedError, WrongStateError):
            return say(workspace_id=workspace_id, task_id=running.id, message=wish.prompt, by=by), True
    last = _tasks(workspace_id).filter(codebase_id=codebase_id).exclude(session_id="").order_by("-created_at").first()
    if last is not None:
        wish = Wish(
            prompt=wish.prompt,
            agent_type=wish.agent_type or last.agent_type,
            model=wish.model or last.model,
            session_id=last.session_id,
            resumes=last.id,
            concurrency_key=last.concurrency_key,
        )
    return codebase_trigger(workspace_id=workspace_id, codebase_id=codebase_id, wish=wish, by=by), False


def codebase_interrupt(*, workspace_id: uuid.UUID, codebase_id: str, by: str) -> Task:
    """End the present turn of the codebase's agent; ConflictError where none runs."""
    codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
    running = _current(workspace_id, codebase_id)
    if running is None:
        raise ConflictError("Nothing runs in this codebase.", code="nothing_running")
    return task_message(workspace_id=workspace_id, task_id=running.id, message="", by=by, interrupt=True)


def codebase_stop(*, workspace_id: uuid.UUID, codebase_id: str, by: str) -> list[Task]:
    """Cancel what runs in a codebase; what waits in its queue stays. Nothing running is no error."""
    codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
    return _cancel_all(workspace_id, codebase_id, HELD, f"stopped by {by}", by)


def codebase_remove(*, workspace_id: uuid.UUID, codebase_id: str, by: str, force: bool = False) -> list[Task]:
    """Remove a codebase with its limit, and cancel what waits for it.

    ConflictError while a worker works in it, unless forced.
    """
    with transaction.atomic():
        codebase = codebase_get(workspace_id=workspace_id, codebase_id=codebase_id, for_update=True)
        tasks = _locked(workspace_id, codebase_id)
        if not force and any(State(task.state) in HELD and task.codebase_id == codebase_id for task in tasks):
            detail = "A task is running in this codebase: stop it, or remove with force=true."
            raise ConflictError(detail, code="codebase_busy")
        reason = f"the codebase was removed by {by}"
        ended = [done for task in tasks for done in _ended(cancelled, task, reason, by)]
        QueueLimit.objects.filter(workspace_id=workspace_id, kind=QueueLimit.Kind.CODEBASE, key=codebase_id).delete()
        codebase_retire(codebase=codebase)
        _record(Action.CODEBASE_REMOVE, codebase, by, forced=force, cancelled=[str(task.id) for task in ended])
    return ended


def _locked(workspace_id: uuid.UUID, codebase_id: str) -> list[Task]:
    """What has not ended of a codebase and of the search for it.

    All are locked before the first is ended, by id: ending one takes a limit's lock, for which holders of the others
    may wait.
    """
    of_codebase = Q(codebase_id=codebase_id)
    search = Q(agent_type=REGISTER_CODEBASE, metadata__codebase_id=codebase_id)
    live = _tasks(workspace_id).filter(of_codebase | search, state__in=_texts(LIVE))
    return list(live.order_by("id").select_for_update(no_key=True))


def _tasks(workspace_id: uuid.UUID) -> Any:
    return Task.objects.filter(workspace_id=workspace_id)


def _texts(states: frozenset[State]) -> list[str]:
    return [str(state) for state in states]


def _current(workspace_id: uuid.UUID, codebase_id: str) -> Task | None:
    """The newest task that runs or asks in a codebase; one that asks goes first, since it waits for a person."""
    held = _tasks(workspace_id).filter(codebase_id=codebase_id).exclude(agent_type=WORKING_TREE)  # has no agent
    for states in (ASKING, frozenset({State.RUNNING})):
        found: Task | None = held.filter(state__in=_texts(states)).order_by("-started_at").first()
        if found is not None:
            return found
    return None


def _cancel_all(
    workspace_id: uuid.UUID, codebase_id: str, states: frozenset[State], reason: str, by: str
) -> list[Task]:
    found = _tasks(workspace_id).filter(codebase_id=codebase_id, state__in=_texts(states))
    return [ended for task in found for ended in _ended(task_cancel, task, reason, by)]


def _ended(cancel: Callable[..., Task], task: Task, reason: str, by: str) -> list[Task]:
    """The cancelled task; nothing where it ended by itself in between."""
    with suppress(TaskEndedError):
        return [cancel(workspace_id=task.workspace_id, task_id=task.id, by=by, reason=reason)]
    return []
