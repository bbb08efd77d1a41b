"""Stepping in: answering what an agent asks."""

from typing import Annotated, Any

from pydantic import Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import InvalidError
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.tasks import TaskChanged, changed
from apps.mcp.tools.words import NAME_LIMIT, TEXT_LIMIT, TaskId
from apps.tasks.selectors import task_get
from apps.tasks.services import task_answer


@tool(scope=Scope.TASKS_WRITE, title="Answer a task's question")
async def answer_task(
    task_id: TaskId,
    message: Annotated[
        str, Field(description="The answer in words. May be left out where `approved` says all.", max_length=TEXT_LIMIT)
    ] = "",
    approved: Annotated[
        bool | None, Field(description="For a permission: true allows, false refuses. Left out for other questions.")
    ] = None,
    option_id: Annotated[
        str, Field(description="One of the question's options, by its id.", max_length=NAME_LIMIT)
    ] = "",
) -> TaskChanged:
    """Answer what an agent asks, or allow or refuse what it wants leave for, so that its task goes on. A task asks
    while its status is input_required or auth_required; send_message and get_task_updates (event `asked`) give the
    question and its options. Give a message, `approved`, or an option_id. Refused where the task does not ask.
    """
    return TaskChanged.model_validate(await in_database(_answer, principal(), task_id, message, approved, option_id))


def _answer(caller: Principal, task_id: str, message: str, approved: bool | None, option_id: str) -> dict[str, Any]:
    if not message.strip() and approved is None and not option_id:
        raise InvalidError("There is no answer.", errors={"message": ["Give a message, approved, or an option_id."]})
    found = task_get(workspace_id=caller.workspace_id, task_id=task_id)
    data: dict[str, Any] = {"option_id": option_id} if option_id else {}
    if approved is not None:
        data["approved"] = approved
    task = task_answer(
        workspace_id=caller.workspace_id,
        task_id=found.id,
        message=message if message.strip() else _words(approved, option_id),
        data=data,
        by=caller.name,
    )
    return changed(task, "The answer is given; get_task_updates shows how it goes on.")


def _words(approved: bool | None, option_id: str) -> str:
    return option_id if approved is None else "approved" if approved else "refused"
