"""Routes of the protocol lane: MCP's address, the plain one beside it, and the metadata for those who have no token.

The SDK is loaded with the first call, beside the loop: 0.7 s of CPU that each start of a web process would pay, also
where nobody speaks MCP.
"""

import asyncio
import importlib
from functools import cache
from types import ModuleType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from apps.accounts.gate import Handler, unguarded
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.mcp.doors import MCP_PATH, METADATA_PATH, door, resource_metadata

PLAIN_PATHS = (f"{MCP_PATH}/v1/rpc", f"{MCP_PATH}/v1/message")


def _loaded_first(name: str) -> Handler:
    """The handler of that name in `apps.mcp.plain`."""

    async def handler(request: Request, principal: Principal) -> Response:
        serve: Handler = getattr(await _plain(), name)
        return await serve(request, principal)

    handler.__name__ = f"mcp_{name}"
    return handler


@cache
def _load() -> ModuleType:
    return importlib.import_module("apps.mcp.plain")


async def _plain() -> ModuleType:
    return _load() if _load.cache_info().currsize else await asyncio.to_thread(_load)


async def closed() -> None:
    """End what this loop's calls have begun."""
    if _load.cache_info().currsize:
        await importlib.import_module("apps.mcp.transport").closed()


routes: list[BaseRoute] = [
    door(MCP_PATH, _loaded_first("streamable"), method="POST"),
    *(door(path, _loaded_first("rpc"), method="POST") for path in PLAIN_PATHS),
    door(f"{MCP_PATH}/v1/tools", _loaded_first("tools"), method="GET"),
    door(f"{MCP_PATH}/v1/tasks", _loaded_first("tasks"), method="GET", scope=Scope.TASKS_READ),
    door(f"{MCP_PATH}/v1/tasks/{{task_id}}", _loaded_first("task"), method="GET", scope=Scope.TASKS_READ),
    *(unguarded(METADATA_PATH + path, resource_metadata, methods=["GET"]) for path in (MCP_PATH, "")),
]
