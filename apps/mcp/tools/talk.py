"""Reading what was said in a conversation."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import NotFoundError
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.pages import bad_cursor
from apps.mcp.tools.words import PAGE, Cursor, Limit, SameConversation
from apps.workers.conversation import conversation_tasks
from apps.workers.talk import messages_of


class Said(BaseModel):
    """One message; `cut`: it is longer than what is shown, and get_task has all of it."""

    id: str
    task_id: str
    role: Literal["user", "agent"]
    kind: Literal["request", "message", "answer", "question", "result", "error"]
    content: str
    cut: bool
    by: str | None
    created_at: datetime


class Messages(BaseModel):
    """The latest of them, in the order in which they were said; `next_cursor` leads to those before, null where there
    are none."""

    conversation_id: str
    messages: list[Said]
    next_cursor: str | None


@tool(scope=Scope.TASKS_READ, title="Read a conversation", read_only=True)
async def get_messages(conversation_id: SameConversation, limit: Limit = PAGE, cursor: Cursor = "") -> Messages:
    """Read what was said in a conversation, by people and by agents: requests, messages, questions, answers, results
    and errors, from all its tasks. Use it to catch up before you go on with send_message. Gives the latest messages in
    the order in which they were said; next_cursor leads to earlier ones. What an agent does in between is in
    get_task_updates.
    """
    return Messages.model_validate(await in_database(_read, principal(), conversation_id, limit, cursor))


def _read(caller: Principal, conversation_id: str, limit: int, cursor: str) -> dict[str, Any]:
    tasks = conversation_tasks(caller.workspace_id, conversation_id)
    if not tasks:
        raise NotFoundError("There is no such conversation.", code="conversation_not_found")
    said = messages_of(tasks[::-1])
    ids = [message["id"] for message in said]
    if cursor and cursor not in ids:
        raise bad_cursor()
    end = ids.index(cursor) if cursor else len(said)
    begin = max(0, end - limit)
    shown = said[begin:end]
    return {"conversation_id": conversation_id, "messages": shown, "next_cursor": ids[begin] if begin else None}
