"""Tools to speak with agents: a message makes a task, goes on with a conversation, or reaches a running task."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from django.conf import settings
from pydantic import BaseModel, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import InvalidError
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.active import place_for
from apps.mcp.tools.repeating import once
from apps.mcp.tools.words import (
    NAME_LIMIT,
    WAIT_MOST_SECONDS,
    AgentName,
    AgentType,
    Conversation,
    Deadline,
    Done,
    InCodebase,
    Key,
    Message,
    ModelId,
    Number,
    Priority,
)
from apps.tasks import log
from apps.tasks.errors import WrongStateError
from apps.tasks.selectors import is_asking, is_terminal, open_question, task_get
from apps.tasks.services import task_answer, task_message
from apps.workers.conversation import Saying, context_of, conversation_continue
from apps.workers.talk import spoken
from apps.workers.waiting import why_pending

if TYPE_CHECKING:
    from apps.tasks.models import Task

ToTask = Annotated[
    str,
    Field(
        description="The task to speak to: it hears this while it works, or takes it as the answer where it asks.",
        max_length=NAME_LIMIT,
    ),
]
Waiting = Annotated[
    Annotated[float, Field(gt=0), Number] | None,
    Field(description=f"Seconds to wait for the answer; {WAIT_MOST_SECONDS:.0f} at most, which is usual."),
]


class Question(BaseModel):
    """What the agent asks; answer it with answer_task, or with send_message and the task_id."""

    question: str
    options: list[dict[str, Any]]


class Sent(Done):
    """`conversation_id` goes on with what was said; `status` is the task's."""

    task_id: str
    conversation_id: str
    status: str


class Answered(Sent):
    """`response` is what the agent said at the end, `question` what it asks now, `error` why it failed; all null while
    it still works (`settled` false)."""

    settled: bool
    response: str | None
    question: Question | None
    error: str | None


@tool(scope=Scope.TASKS_WRITE, title="Send a message and wait")
async def send_message(
    message: Message,
    conversation_id: Conversation = "",
    task_id: ToTask = "",
    codebase_id: InCodebase = "",
    agent_type: AgentType = None,
    model: ModelId = "",
    priority: Priority = 0,
    wait_seconds: Waiting = None,
    idempotency_key: Key = "",
) -> Answered:
    """Say something to an agent and wait for its answer: until its task ends, it asks something, or the time is up
    (then `settled` is false and the task goes on: see get_task_updates). Pass conversation_id to go on with what was
    said before, or task_id to speak to a task that runs or to answer its question. Use create_task for long work. Gives
    the response or the question, and the ids to go on with.
    """
    saying = Saying(
        text=message, context_id=conversation_id, codebase_id=codebase_id, agent_type=agent_type or "", model=model,
        priority=priority,
    )  # fmt: skip
    sent = await in_database(_sent, principal(), "send_message", saying, task_id, idempotency_key)
    return await _answered(principal(), sent, wait_seconds)


@tool(scope=Scope.TASKS_WRITE, title="Send a message")
async def send_message_async(
    message: Message,
    conversation_id: Conversation = "",
    task_id: ToTask = "",
    codebase_id: InCodebase = "",
    agent_type: AgentType = None,
    model: ModelId = "",
    priority: Priority = 0,
    deadline_seconds: Deadline = None,
    idempotency_key: Key = "",
) -> Sent:
    """Say something to an agent and go on at once, without waiting for its answer: the message becomes a task. Pass
    conversation_id to go on with a conversation (its agent remembers it), or task_id to speak to a task that runs or to
    answer its question. Gives task_id, for get_task and get_task_updates, and conversation_id, for what you say next.
    """
    saying = Saying(
        text=message, context_id=conversation_id, codebase_id=codebase_id, agent_type=agent_type or "", model=model,
        priority=priority, deadline_seconds=deadline_seconds,
    )  # fmt: skip
    sent = await in_database(_sent, principal(), "send_message_async", saying, task_id, idempotency_key)
    return Sent.model_validate(sent)


@tool(scope=Scope.TASKS_WRITE, title="Send a message to an agent")
async def send_to_agent(
    agent_name: AgentName,
    message: Message,
    conversation_id: Conversation = "",
    codebase_id: Annotated[
        str,
        Field(description="Where to work: a codebase's id. Left out: wherever the agent is.", max_length=NAME_LIMIT),
    ] = "",
    agent_type: AgentType = None,
    model: ModelId = "",
    priority: Priority = 0,
    deadline_seconds: Deadline = None,
    idempotency_key: Key = "",
) -> Sent:
    """Hand a message to the agent of a role, or to a remote A2A agent that an admin has registered, and go on at once:
    it becomes a task that waits until that agent is here. Use discover_agents to see who there is. What a remote agent
    says comes into the task's log as any other's does. Gives task_id, for get_task and get_task_updates, and
    conversation_id.
    """
    saying = Saying(
        text=message, context_id=conversation_id, codebase_id=codebase_id, agent_type=agent_type or "", model=model,
        priority=priority, target_agent=agent_name, deadline_seconds=deadline_seconds,
    )  # fmt: skip
    sent = await in_database(_sent, principal(), "send_to_agent", saying, "", idempotency_key)
    return Sent.model_validate(sent)


def _sent(caller: Principal, name: str, saying: Saying, task_id: str, key: str) -> Mapping[str, Any]:
    if not saying.text.strip():
        raise InvalidError("The message is empty.", errors={"message": ["Give some text."]})
    said = {field: getattr(saying, field) for field in Saying.__dataclass_fields__} | {"task_id": task_id}
    return once(caller, key, name, said, lambda: _told(_delivered(caller, saying, task_id)))


def _delivered(caller: Principal, saying: Saying, task_id: str) -> "Task":
    if task_id:
        return _handed_over(caller, saying, task_id)
    if not saying.codebase_id and not saying.target_agent:
        saying = replace(saying, default_codebase_id=place_for(caller, ""))
    return conversation_continue(workspace_id=caller.workspace_id, saying=saying, by=caller.name)


def _handed_over(caller: Principal, saying: Saying, task_id: str) -> "Task":
    """The named task's answer, or a message to it while it works; one that has ended refuses."""
    task = task_get(workspace_id=caller.workspace_id, task_id=task_id)
    if saying.context_id and saying.context_id != context_of(task):
        message = "The task belongs to another conversation: leave one of the two out."
        raise InvalidError(message, errors={"conversation_id": [message]})
    workspace_id, by = caller.workspace_id, caller.name
    if is_asking(task):
        try:
            return task_answer(workspace_id=workspace_id, task_id=task.id, message=saying.text, by=by)
        except WrongStateError:
            pass  # somebody else answered first: then it is a message like any other
    return task_message(workspace_id=workspace_id, task_id=task.id, message=saying.text, by=by)


def _told(task: "Task") -> dict[str, Any]:
    return {
        "success": True,
        "message": "The message is in the task's log; get_task_updates shows how it goes on.",
        "task_id": str(task.id),
        "conversation_id": context_of(task),
        "status": task.state,
        "last_seq": task.last_seq,
    }


async def _answered(caller: Principal, sent: Mapping[str, Any], wait_seconds: float | None) -> Answered:
    task = await in_database(task_get, workspace_id=caller.workspace_id, task_id=sent["task_id"])
    most = min(float(settings.A2A_BLOCKING_TIMEOUT), WAIT_MOST_SECONDS)
    if not _is_settled(task):
        await log.settled(task.id, sent["last_seq"], seconds=min(wait_seconds or most, most))
    return Answered.model_validate(await in_database(_outcome, caller, sent))


def _outcome(caller: Principal, sent: Mapping[str, Any]) -> dict[str, Any]:
    task = task_get(workspace_id=caller.workspace_id, task_id=sent["task_id"])
    asked = open_question(task)
    return {
        **sent,
        "message": _what_now(task),
        "status": task.state,
        "settled": _is_settled(task),
        "response": (task.result or spoken(task) or None) if is_terminal(task) else None,
        "question": asked and {"question": asked.data["question"], "options": asked.data["options"]},
        "error": task.error or None,
    }


def _is_settled(task: "Task") -> bool:
    return is_terminal(task) or is_asking(task)


def _what_now(task: "Task") -> str:
    if is_asking(task):
        return "The agent asks: answer with answer_task, or with send_message and this task_id."
    if is_terminal(task):
        return f"The task is {task.state}; go on with send_message and this conversation_id."
    reason = why_pending(task)
    goes = f"No worker has it yet ({reason.text})" if reason else "The agent still works"
    return f"{goes}; get_task_updates shows what happens, with wait_seconds also what comes."
