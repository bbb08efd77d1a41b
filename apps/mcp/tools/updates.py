"""What happens in a task, as it happens: the log itself, after a place."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.words import AfterSeq, Number, TaskId, Wait
from apps.tasks import log
from apps.tasks.selectors import is_terminal, task_get
from apps.tasks.shapes import LogEvent

EVENTS = 50
EVENTS_MOST = 200

EventLimit = Annotated[
    int,
    Field(description=f"How many events at once, {EVENTS_MOST} at most; large ones may make it fewer.", ge=1),
    Number,
    AfterValidator(lambda limit: min(limit, EVENTS_MOST)),
]


class Updates(BaseModel):
    """`next_seq` is the after_seq that goes on; `more`: there is more already; `ended`: nothing follows any more."""

    task_id: str
    status: str
    events: list[LogEvent]
    next_seq: int
    last_seq: int
    more: bool
    ended: bool


@tool(scope=Scope.TASKS_READ, title="Follow a task", read_only=True)
async def get_task_updates(
    task_id: TaskId, after_seq: AfterSeq = 0, limit: EventLimit = EVENTS, wait_seconds: Wait = 0
) -> Updates:
    """Read what has happened in a task, event by event from its log: what the agent said and did, tools that it used,
    files that it changed, questions, answers and the end. Begin with after_seq 0 and pass next_seq on: nothing is
    missed and nothing comes twice. With wait_seconds the call waits for news where there is none yet. Stop when `ended`
    is true.
    """
    caller = principal()
    found = await in_database(_read, caller, task_id, after_seq, limit)
    if found["events"] or found["ended"] or not wait_seconds:
        return Updates.model_validate(found)
    task = await in_database(task_get, workspace_id=caller.workspace_id, task_id=task_id)
    await log.grown(task.id, after_seq, seconds=wait_seconds)
    return Updates.model_validate(await in_database(_read, caller, task_id, after_seq, limit))


def _read(caller: Principal, task_id: str, after_seq: int, limit: int) -> dict[str, Any]:
    """The row first: what it says has happened is in the log that is read after it."""
    task = task_get(workspace_id=caller.workspace_id, task_id=task_id)
    events = log.read(task.id, after_seq, limit)
    next_seq = events[-1].seq if events else after_seq
    return {
        "task_id": str(task.id),
        "status": task.state,
        "events": [
            {"seq": event.seq, "kind": event.kind, "data": event.data, "created_at": event.created_at}
            for event in events
        ],
        "next_seq": next_seq,
        "last_seq": task.last_seq,
        "more": next_seq < task.last_seq,
        "ended": is_terminal(task) and next_seq >= task.last_seq,
    }
