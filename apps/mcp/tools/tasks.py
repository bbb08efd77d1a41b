"""Tools about tasks: make, look, list, cancel."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, BaseModel, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.active import place_for
from apps.mcp.tools.pages import bad_cursor, newest_first, place
from apps.mcp.tools.repeating import Answer, once
from apps.mcp.tools.words import (
    NAME_LIMIT,
    PAGE,
    TEXT_LIMIT,
    AgentType,
    Cursor,
    Deadline,
    Done,
    InCodebase,
    Key,
    Limit,
    Listed,
    ModelId,
    Number,
    OnlyCodebase,
    Priority,
    Query,
    Status,
    TaskId,
    Title,
)
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.selectors import (
    TaskFilter,
    run_facts,
    runs_of,
    task_facts,
    task_get,
    tasks_counted,
    tasks_filtered,
    tasks_tried,
)
from apps.tasks.services import NewTask, task_cancel, task_create
from apps.tasks.shapes import Run, TaskDetail, TaskLine
from apps.workers.showing import task_detail

if TYPE_CHECKING:
    from apps.tasks.models import Task

OnlyWorker = Annotated[
    str, Field(description="Only what this worker works on or has worked on.", max_length=NAME_LIMIT)
]


OnlyAgent = Annotated[
    str, Field(description="Only for agents of this role, or this remote agent.", max_length=NAME_LIMIT)
]
Prompt = Annotated[
    str,
    Field(
        description="What the agent is to do, with all that it must know. Left out: the title says it.",
        max_length=TEXT_LIMIT,
        validation_alias=AliasChoices("prompt", "description"),
    ),
]
SessionId = Annotated[
    str, Field(description="Go on with this session of an agent's, which remembers it.", max_length=NAME_LIMIT)
]
Email = Annotated[str, Field(description="Whom to tell when it has ended.", max_length=NAME_LIMIT)]
Minutes = Annotated[float, Field(description="It may take so long; 0: no limit.", ge=0, le=10**9), Number]
Cost = Annotated[float, Field(description="It may cost so much; 0: no limit.", ge=0, le=10**9), Number]


class Tasks(Listed):
    tasks: list[TaskLine]


class TaskChanged(Done):
    """`task_id` and `status` are the task's, once more, where programs look for them first."""

    task_id: str
    status: str
    task: TaskLine


class Runs(BaseModel):
    """`next_cursor` is null at the end."""

    runs: list[Run]
    next_cursor: str | None


@tool(scope=Scope.TASKS_WRITE, title="Create a task")
async def create_task(
    title: Title,
    prompt: Prompt = "",
    codebase_id: InCodebase = "",
    agent_type: AgentType = None,
    model: ModelId = "",
    priority: Priority = 0,
    target_agent: OnlyAgent = "",
    deadline_seconds: Deadline = None,
    resume_session_id: SessionId = "",
    notify_email: Email = "",
    max_minutes: Minutes = 0,
    max_cost_usd: Cost = 0,
    idempotency_key: Key = "",
) -> TaskChanged:
    """Hand work to an agent and go on at once: the task waits in the queue until a worker that has the codebase takes
    it. Use it for work that takes minutes or hours; use send_message where you want to wait for the answer. Follow it
    with get_task (is it done?) and get_task_updates (what happens). Gives the task's id and status; it is stored, so
    it outlives every restart.
    """
    noted = {
        "resume_session_id": resume_session_id, "notify_email": notify_email, "max_minutes": max_minutes,
        "max_cost_usd": max_cost_usd,
    }  # fmt: skip
    new = NewTask(
        title=title, prompt=prompt or title, codebase_id=codebase_id, agent_type=agent_type or "build", model=model,
        priority=priority, target_agent=target_agent, deadline_seconds=deadline_seconds, session_id=resume_session_id,
        metadata={name: value for name, value in noted.items() if value},
    )  # fmt: skip
    return TaskChanged.model_validate(await in_database(_create, principal(), new, idempotency_key))


def _create(caller: Principal, new: NewTask, key: str) -> Answer:
    def make() -> Answer:
        placed = replace(new, codebase_id=place_for(caller, new.codebase_id, new.target_agent))
        task = task_create(workspace_id=caller.workspace_id, new=placed, by=caller.name)
        return changed(task, "The task is queued; get_task shows how it goes.")

    return once(caller, key, "create_task", asdict(new), make)


@tool(scope=Scope.TASKS_READ, title="Show a task", read_only=True)
async def get_task(task_id: TaskId) -> TaskDetail:
    """Show one task as it is now: status, result or error, who works on it, attempts, session, tokens and cost, and
    while it is pending why no worker has it yet (why_pending). Use it to see whether a task is done and to read its
    result. To wait for news without asking again and again, use get_task_updates with wait_seconds instead.
    """
    shown = await in_database(task_detail, workspace_id=principal().workspace_id, task_id=task_id)
    return TaskDetail.model_validate(shown)


@tool(scope=Scope.TASKS_READ, title="List tasks", read_only=True)
async def list_tasks(
    status: Status = None,
    codebase_id: OnlyCodebase = "",
    worker_id: OnlyWorker = "",
    agent_type: Annotated[str, Field(description="Only of this kind, as `build`.", max_length=NAME_LIMIT)] = "",
    conversation_id: Annotated[
        str,
        Field(
            description="Only tasks of this conversation.",
            max_length=NAME_LIMIT,
            validation_alias=AliasChoices("conversation_id", "context_id", "contextId"),
        ),
    ] = "",
    q: Query = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> Tasks:
    """List tasks, newest first, without their long texts: id, title, status, where and by whom they are worked on, and
    the error of those that failed. Use it to find a task, or to see what waits (`status` pending), runs, or asks
    something (input_required). `q` seeks in titles and prompts. Gives a page; go on with next_cursor until it is null.
    """
    wanted = TaskFilter(
        status=status or "",
        codebase_id=codebase_id,
        worker_id=worker_id,
        agent_type=agent_type,
        context_id=conversation_id,
        q=q,
    )
    return await in_database(_listed, principal(), wanted, limit, cursor)


def _listed(caller: Principal, wanted: TaskFilter, limit: int, cursor: str) -> Tasks:
    found = tasks_filtered(caller.workspace_id, wanted)
    rows, more = newest_first(found, limit=limit, after=_after(caller, cursor))
    number = tasks_counted(caller.workspace_id, wanted, found)
    return Tasks.model_validate({"tasks": [task_facts(task) for task in rows], **place(number, more)})


def _after(caller: Principal, cursor: str) -> "Task | None":
    try:
        return task_get(workspace_id=caller.workspace_id, task_id=cursor) if cursor else None
    except TaskNotFoundError as error:
        raise bad_cursor() from error


@tool(scope=Scope.TASKS_WRITE, title="Cancel a task", destructive=True)
async def cancel_task(
    task_id: TaskId,
    reason: Annotated[str, Field(description="Why, for people who look at it later.", max_length=2000)] = "",
) -> TaskChanged:
    """End a task for good, whether it waits, runs or asks: the worker stops its agent within one heartbeat, and nothing
    that it sends later counts. What it has changed in the codebase stays. A task that has ended already is refused. Use
    send_message with the task_id to redirect a running task instead. Gives the task as it is then.
    """
    return TaskChanged.model_validate(await in_database(_cancel, principal(), task_id, reason))


def _cancel(caller: Principal, task_id: str, reason: str) -> dict[str, Any]:
    found = task_get(workspace_id=caller.workspace_id, task_id=task_id)
    task = task_cancel(workspace_id=caller.workspace_id, task_id=found.id, by=caller.name, reason=reason)
    return changed(task, "The task is cancelled.")


@tool(scope=Scope.TASKS_READ, title="List the runs of tasks", read_only=True)
async def list_task_runs(
    task_id: Annotated[str, Field(description="Only the runs of this task.", max_length=NAME_LIMIT)] = "",
    codebase_id: OnlyCodebase = "",
    status: Status = None,
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> Runs:
    """List the attempts that workers have made at tasks: which worker, when it began and ended, how long it took, and
    how it ended (completed, failed, requeued, lost with its worker…). Use it to see why a task was tried again, or what
    is slow. Without task_id it goes through the tasks that a worker has taken, newest first, and `limit` counts tasks.
    Gives each task's runs, the latest first.
    """
    wanted = TaskFilter(status=status or "", codebase_id=codebase_id)
    return await in_database(_runs, principal(), task_id, wanted, limit, cursor)


def _runs(caller: Principal, task_id: str, wanted: TaskFilter, limit: int, cursor: str) -> Runs:
    more: str | None = None
    if task_id:
        tasks = [task_get(workspace_id=caller.workspace_id, task_id=task_id)]
    else:
        found = tasks_tried(caller.workspace_id, wanted)
        tasks, more = newest_first(found, limit=limit, after=_after(caller, cursor))
    runs = runs_of(tasks)
    shown = [run_facts(task, run) for task in tasks for run in runs[task.id]]
    return Runs.model_validate({"runs": shown, "next_cursor": more})


def changed(task: "Task", message: str) -> dict[str, Any]:
    """The answer of a tool that has changed a task (`TaskChanged`)."""
    return {
        "success": True,
        "message": message,
        "task_id": str(task.id),
        "status": task.state,
        "task": task_facts(task),
    }
