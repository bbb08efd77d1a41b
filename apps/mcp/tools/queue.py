"""Tools about the queue and what can be run."""

from typing import Annotated

from pydantic import Field

from apps.accounts.permissions import Scope
from apps.core.db import in_database
from apps.mcp.caller import principal
from apps.mcp.tool import tool
from apps.mcp.tools.pages import part
from apps.mcp.tools.words import NAME_LIMIT, PAGE, Cursor, Limit, Listed
from apps.workers.offers import offered_models
from apps.workers.shapes import Model, QueueStatus
from apps.workers.showing import queue_status


class Models(Listed):
    models: list[Model]


@tool(scope=Scope.TASKS_READ, title="Show the queue", read_only=True)
async def get_queue_stats() -> QueueStatus:
    """Show how much work there is and why it waits: tasks in each state, what is pending by reason (no worker, no
    model, paused, next in line…), how long the oldest one has waited, how many workers are connected, and the limits
    and pauses that are set. Use it to see whether work moves, and before you hand over more. One task's own reason is
    in get_task.
    """
    return QueueStatus.model_validate(await in_database(queue_status, principal().workspace_id))


@tool(scope=Scope.TASKS_READ, title="List models", read_only=True)
async def list_models(
    provider: Annotated[str, Field(description="Only of this provider, as `anthropic`.", max_length=NAME_LIMIT)] = "",
    limit: Limit = PAGE,
    cursor: Cursor = "",
) -> Models:
    """List the language models that connected workers say they can run, with how many workers offer each and by which
    agent programs. Use it to choose the `model` of create_task or send_message: give its id as it stands here
    (provider/model). A task for a model that nobody offers waits until somebody does. Gives a page; next_cursor leads
    on.
    """
    models = await in_database(offered_models, principal().workspace_id)
    wanted = [model for model in models if provider in ("", model["provider"])]
    shown, place = part(wanted, limit=limit, cursor=cursor)
    return Models.model_validate({"models": shown, **place})
