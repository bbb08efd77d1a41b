"""What agents do now, and speaking to one of them: whoever watches need not know which task it is."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from apps.codebases.selectors import codebases_of
from apps.core.errors import ConflictError, InvalidError, NotFoundError
from apps.tasks.errors import TaskEndedError, TaskNotFoundError, WrongStateError
from apps.tasks.selectors import held_tasks, is_asking, task_get
from apps.tasks.services import NewTask, Wish, codebase_message, task_answer, task_create, task_message
from apps.workers.models import Worker
from apps.workers.offers import discoverable_agents
from apps.workers.selectors import workers_of

if TYPE_CHECKING:
    from apps.tasks.models import Task

TITLE_LENGTH = 80


def agents_watched(workspace_id: uuid.UUID) -> list[dict[str, Any]]:
    """The agents of connected workers, each with the tasks that its worker holds and that may be its own."""
    held = held_tasks(workspace_id)
    agents = discoverable_agents(workspace_id)
    return [_watched(agent, _of_agent(held, [agent["worker_id"]], agent["role"])) for agent in agents]


def _watched(agent: dict[str, Any], tasks: list["Task"]) -> dict[str, Any]:
    doing = [{"task_id": str(task.id), "title": task.title, "status": task.state} for task in tasks]
    return {"id": agent["name"], **agent, "status": "working" if doing else "idle", "tasks": doing}


def workers_of_agent(workspace_id: uuid.UUID, agent_id: str) -> list[Worker]:
    """The workers of this id, or with an agent of this role or instance."""
    return [
        worker
        for worker in workers_of(workspace_id)
        if agent_id == worker.worker_id
        or any(agent_id in (agent["role"], agent["instance"]) for agent in worker.agents)
    ]


def agent_message(*, workspace_id: uuid.UUID, agent_id: str, message: str, by: str) -> list["Task"]:
    """Say something to a task (its id), a codebase's agent (its id), or an agent (role, instance or worker's id).

    An agent hears it in all that it works on; where it works on nothing, the message is a new task for its role.
    Returns the tasks that have the message in their log. NotFoundError where there is none of that id, ConflictError
    where it has ended or has nothing to hear it with.
    """
    if not message.strip():
        raise InvalidError("The message is empty.", errors={"message": ["Give a text."]})
    with suppress(TaskNotFoundError):
        task = task_get(workspace_id=workspace_id, task_id=agent_id)
        return [_tell(task, message, by)]
    if codebases_of(workspace_id).filter(id=agent_id).exists():
        wish = Wish(prompt=message)
        return [codebase_message(workspace_id=workspace_id, codebase_id=agent_id, wish=wish, by=by)[0]]
    workers = workers_of_agent(workspace_id, agent_id)
    if not workers:
        raise NotFoundError("There is no such agent, worker, codebase or task.", code="agent_not_found")
    role = next((one["role"] for worker in workers for one in worker.agents if agent_id in one.values()), "")
    found = _of_agent(held_tasks(workspace_id), [worker.worker_id for worker in workers], role)
    told = [heard for task in found for heard in _told(task, message, by)]
    return told or [_begun(workspace_id, role, message, by)]


def _of_agent(held: Iterable["Task"], workers: list[str], role: str) -> list["Task"]:
    """Of a role that is not a task's own, it is not known whether it works on it: then it counts."""
    return [task for task in held if task.worker_id in workers and (not role or task.target_agent in ("", role))]


def _told(task: "Task", message: str, by: str) -> list["Task"]:
    """The task; nothing where it ended by itself in between."""
    with suppress(TaskEndedError, WrongStateError):
        return [_tell(task, message, by)]
    return []


def _tell(task: "Task", message: str, by: str) -> "Task":
    say = task_answer if is_asking(task) else task_message
    return say(workspace_id=task.workspace_id, task_id=task.id, message=message, by=by)


def _begun(workspace_id: uuid.UUID, role: str, message: str, by: str) -> "Task":
    if not role:
        raise ConflictError("This worker works on nothing now, and has no agent to ask.", code="nothing_running")
    new = NewTask(title=message.strip().splitlines()[0][:TITLE_LENGTH], prompt=message, target_agent=role)
    return task_create(workspace_id=workspace_id, new=new, by=by)
