"""How a task comes to be."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.core.errors import InvalidError, NotFoundError
from apps.core.ids import new_id
from apps.tasks import events
from apps.tasks.forks import FORK
from apps.tasks.models import GLOBAL_QUEUE, MAX_ATTEMPTS_LIMIT, PENDING_QUEUE, PRIORITY_LIMIT, Task
from apps.tasks.rows import as_json
from apps.tasks.services import statements
from apps.tasks.services.announce import announce
from apps.tasks.services.programs import routed

REGISTER_CODEBASE = "register_codebase"
DEFAULT_MAX_ATTEMPTS = 3
TITLE_LIMIT = 500
PROMPT_LIMIT = 1_000_000
NAME_LIMIT = 200
METADATA_LIMIT = 262_144
DEADLINE_LIMIT = 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What a caller asks for. `codebase_id` empty or 'global': any worker with a global codebase.

    `resumes` is the earlier task whose `session_id` this one goes on with, where the caller knows it.
    """

    title: str
    prompt: str
    agent_type: str = "build"
    model: str = ""
    priority: int = 0
    codebase_id: str = ""
    requires: Sequence[str] = ()
    target_agent: str = ""
    session_id: str = ""
    resumes: uuid.UUID | None = None
    context_id: str = ""
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    deadline_seconds: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    concurrency_key: str = ""


def task_create(*, workspace_id: uuid.UUID, new: NewTask, by: str) -> Task:
    """Make a task; with an idempotency key that was used before, the task made then. Acknowledged means durable.

    Raises InvalidError (which names the fields) and NotFoundError for a codebase that is not in the workspace.
    """
    _check(new)
    values = _values(workspace_id, new, by)
    task = statements.insert(values=values, event=_created(values), deadline_seconds=new.deadline_seconds)
    return announce(task) if task is not None else _made_before(workspace_id, new)


def _made_before(workspace_id: uuid.UUID, new: NewTask) -> Task:
    """The task of the same idempotency key; NotFoundError where what stopped the new one was its codebase."""
    if new.idempotency_key is not None:
        made = Task.objects.filter(workspace_id=workspace_id, idempotency_key=new.idempotency_key).first()
        if made is not None:
            return made
    raise NotFoundError("There is no such codebase.", code="codebase_not_found")


def _check(new: NewTask) -> None:
    errors: dict[str, list[str]] = {}

    def demand(condition: bool, name: str, message: str) -> None:
        if not condition:
            errors.setdefault(name, []).append(message)

    demand(bool(new.title.strip()), "title", "Give a title.")
    demand(len(new.title) <= TITLE_LIMIT, "title", f"Give at most {TITLE_LIMIT} characters.")
    demand(bool(new.prompt.strip()), "prompt", "Give a prompt.")
    demand(len(new.prompt) <= PROMPT_LIMIT, "prompt", f"Give at most {PROMPT_LIMIT} characters.")
    demand(
        -PRIORITY_LIMIT <= new.priority <= PRIORITY_LIMIT,
        "priority",
        f"Give a whole number from -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}.",
    )
    demand(1 <= new.max_attempts <= MAX_ATTEMPTS_LIMIT, "max_attempts", f"Give 1 to {MAX_ATTEMPTS_LIMIT}.")
    demand(
        new.deadline_seconds is None or 0 < new.deadline_seconds <= DEADLINE_LIMIT,
        "deadline_seconds",
        f"Give more than 0 and at most {DEADLINE_LIMIT} seconds.",
    )
    for name in ("agent_type", "model", "target_agent", "session_id", "context_id", "codebase_id", "concurrency_key"):
        demand(len(getattr(new, name)) <= NAME_LIMIT, name, f"Give at most {NAME_LIMIT} characters.")
    demand(new.metadata.get(FORK) is not True or bool(new.session_id), "metadata.fork", "Name the session to fork.")
    demand(
        len(as_json(new.metadata)) <= METADATA_LIMIT,
        "metadata",
        f"Give at most {METADATA_LIMIT} bytes.",
    )
    if errors:
        raise InvalidError("The task cannot be made as asked; see errors.", errors=errors)


def _values(workspace_id: uuid.UUID, new: NewTask, by: str) -> dict[str, Any]:
    codebase_id, queue = _place(new)
    where = routed(workspace_id, new)
    return {
        "id": new_id(),
        "workspace_id": workspace_id,
        "codebase_id": codebase_id,
        "queue": queue,
        "title": new.title.strip(),
        "prompt": new.prompt,
        "agent_type": new.agent_type or "build",
        "model": new.model,
        "priority": new.priority,
        "requires": where.requires,
        "target_agent": new.target_agent,
        "session_id": new.session_id,
        "context_id": new.context_id,
        "max_attempts": new.max_attempts,
        "concurrency_key": new.concurrency_key,
        "metadata": where.metadata,
        "created_by": by,
        "idempotency_key": new.idempotency_key,
    }


def _place(new: NewTask) -> tuple[str | None, str]:
    """(codebase, queue) of a new task."""
    if new.agent_type == REGISTER_CODEBASE:
        return None, PENDING_QUEUE
    if new.codebase_id in ("", GLOBAL_QUEUE):
        return None, GLOBAL_QUEUE
    return new.codebase_id, new.codebase_id


def _created(values: Mapping[str, Any]) -> events.Event:
    return events.created({name: values[name] for name in events.FACTS_AT_CREATION})
