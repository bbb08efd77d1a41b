"""Where a caller of this face reaches the others, which do not answer on MCP's own port."""

from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import HTTPConnection
from starlette.types import Scope

from apps.core.own_address import base_url_of


def is_on_own_port(scope: Scope) -> bool:
    """Whether the request came by the port that is MCP's alone."""
    server = scope.get("server")
    return bool(settings.MCP_PORT) and server is not None and server[1] == settings.MCP_PORT


def other_faces_url(request: HTTPConnection) -> str:
    """The base URL of our other faces, as this caller may reach them."""
    found = base_url_of(request)
    if settings.A2A_AGENT_URL_IS_GIVEN or not is_on_own_port(request.scope):
        return found
    parts, main = urlsplit(found), urlsplit(str(settings.A2A_AGENT_URL))
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{main.port}"
