"""Tools about the caller's active codebase: where tasks go that name none."""

from typing import Annotated

from pydantic import BaseModel, Field

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.codebases.active import active_codebase, active_codebase_clear, active_codebase_set
from apps.codebases.selectors import codebase_facts
from apps.codebases.shapes import Codebase
from apps.core.db import in_database
from apps.federation.selectors import remote_agents_of
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.words import NAME_LIMIT, Done
from apps.tasks.selectors import GLOBAL_QUEUE, codebase_activity
from apps.tasks.shapes import Activity


class Active(Done):
    codebase: Codebase | None


class Current(BaseModel):
    """`codebase_id` is where work goes: the active codebase's id, or `global`."""

    codebase_id: str
    codebase: Codebase | None
    activity: Activity | None
    message: str


@tool(scope=Scope.CODEBASES_READ, title="Choose the active codebase", idempotent=True)
async def set_active_codebase(
    codebase_id: Annotated[
        str,
        Field(
            description="The codebase's id, as list_codebases gives it; `global` for none.",
            min_length=1,
            max_length=NAME_LIMIT,
        ),
    ],
) -> Active:
    """Choose the codebase in which your tasks work from now on where create_task and send_message name none, so that
    you need not repeat its id. It is kept for your token (or for you, where you are signed in) until you choose another
    one or the codebase is removed; nobody else is concerned. Give `global` to choose none. Gives the codebase.
    """
    caller = principal()
    if codebase_id == GLOBAL_QUEUE:
        await in_database(active_codebase_clear, caller=caller)
        return Active(
            success=True, message="No codebase is active: tasks go to any worker that takes such.", codebase=None
        )
    found = await in_database(active_codebase_set, caller=caller, codebase_id=codebase_id)
    told = f"{found.name} is your active codebase."
    return Active.model_validate({"success": True, "message": told, "codebase": codebase_facts(found)})


@tool(scope=Scope.CODEBASES_READ, title="Show the active codebase", read_only=True)
async def get_active_codebase() -> Active:
    """Show which codebase you have chosen with set_active_codebase, or null where you have chosen none or it was
    removed since. Use it when you go on with earlier work and want to be sure where the next task would go;
    get_current_codebase tells besides what that codebase's agent does just now.
    """
    found = await in_database(active_codebase, principal())
    told = f"{found.name} is your active codebase." if found else "You have no active codebase: set_active_codebase."
    return Active.model_validate({"success": True, "message": told, "codebase": found and codebase_facts(found)})


@tool(scope=Scope.CODEBASES_READ, title="Show where work goes now", read_only=True)
async def get_current_codebase() -> Current:
    """Show where a task would go that names no codebase, and what happens there: your active codebase with what its
    agent does now (idle, running, asking), the task it works on, its session, how many tasks wait, and any limit or
    pause; or `global`, where you have no active codebase. Use it before you hand over work or join what is running.
    """
    return Current.model_validate(await in_database(_current, principal()))


def _current(caller: Principal) -> dict[str, object]:
    found = active_codebase(caller)
    if found is None:
        told = "You have no active codebase, so a task goes to any worker that takes such."
        return {"codebase_id": GLOBAL_QUEUE, "codebase": None, "activity": None, "message": told}
    activity = codebase_activity(workspace_id=caller.workspace_id, codebase_id=found.id)
    told = f"{found.name} is your active codebase; it is {activity['status']}."
    return {"codebase_id": found.id, "codebase": codebase_facts(found), "activity": activity, "message": told}


def place_for(caller: Principal, codebase_id: str, target_agent: str = "") -> str:
    """Where a task goes: where it says, else to the active codebase; but a remote agent works in none of ours."""
    if codebase_id:
        return codebase_id
    if target_agent and remote_agents_of(caller.workspace_id).filter(name=target_agent).exists():
        return ""
    found = active_codebase(caller)
    return found.id if found else ""
