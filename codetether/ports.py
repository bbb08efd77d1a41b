"""What answers on which port of the web process: everything on the first, MCP alone on the one that is its own.

So that one may be opened to others than the rest is.
"""

from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from apps.accounts.gate import problem_response
from apps.core.errors import NotFoundError
from apps.mcp.elsewhere import is_on_own_port
from apps.mcp.routes import routes as mcp_routes
from codetether.edge import HEALTH
from codetether.health import routes as health_routes


class ByPort:
    """ASGI middleware: `everything` except on MCP's own port."""

    def __init__(self, everything: ASGIApp) -> None:
        self.everything = everything
        self.mcp = Router(routes=_of_mcp(), redirect_slashes=False, default=_nothing_here)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan" and is_on_own_port(scope):
            await self.mcp(scope, receive, send)
        else:
            await self.everything(scope, receive, send)


def _of_mcp() -> Sequence[BaseRoute]:
    return [*mcp_routes, *(one for one in health_routes if isinstance(one, Route) and one.path in HEALTH)]


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
        return
    await problem_response(NotFoundError("There is nothing but MCP on this port."))(scope, receive, send)
