"""Who gets in to the MCP face: the same credentials as everywhere, told in the way that MCP's clients expect.

Their ways: 401 names the metadata of this protected resource (RFC 9728 §5.1; MCP 2025-11-25, basic/authorization), and
pages of other sites are kept out by their `Origin` (basic/transports, security warning): a page could point a name of
its own at our address.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import Handler, LaneRoute, json_response, principal_of, problem_response, refuse_cookie_writes
from apps.accounts.permissions import Scope
from apps.core.errors import ForbiddenError
from apps.core.headers import headers_of
from apps.core.own_address import base_url_of

MCP_PATH = "/mcp"
METADATA_PATH = "/.well-known/oauth-protected-resource"


def door(path: str, handler: Handler, *, method: str, scope: Scope | None = None) -> LaneRoute:
    """A route for callers who are known, and hold `scope` where one is named; tools ask for theirs when called."""

    async def endpoint(request: Request) -> Response:
        try:
            check_origin(request)
            principal = await principal_of(request)
            refuse_cookie_writes(request, principal)
            if scope is not None:
                principal.require(scope)
            return await handler(request, principal)
        except Exception as error:  # noqa: BLE001 (the face's one boundary: everything becomes an answer)
            return refusal(request, error)

    return LaneRoute(path, endpoint, methods=[method], name=handler.__name__, required_scope=scope)


def refusal(request: Request, error: Exception) -> Response:
    answer = problem_response(error)
    if answer.status_code == 401:
        where = f"{base_url_of(request)}{METADATA_PATH}{MCP_PATH}"
        answer.headers["WWW-Authenticate"] = f'Bearer realm="codetether", resource_metadata="{where}"'
    return answer


async def resource_metadata(request: Request) -> Response:
    """What a client needs to know to come by a token (RFC 9728 §2). Without an identity provider there is nobody to
    send it to: tokens are made in the console."""
    found = {
        "resource": f"{base_url_of(request)}{MCP_PATH}",
        "resource_name": settings.A2A_AGENT_NAME,
        "bearer_methods_supported": ["header"],
    }
    if settings.OIDC is not None:
        found["authorization_servers"] = [settings.OIDC.issuer]
        found["scopes_supported"] = settings.OIDC.scopes.split()
    return json_response(found)


def check_origin(request: Request) -> None:
    """ForbiddenError where a browser says that a page of somebody else's asks."""
    headers = headers_of(request)
    origin = headers.get("origin", "")
    if origin and not _is_friendly(origin.lower(), headers.get("host", "").lower()):
        raise ForbiddenError("Pages of this origin may not call (A2A_CORS_ORIGINS).", code="bad_origin")


def _is_friendly(origin: str, host: str) -> bool:
    if settings.CORS_ORIGINS == ["*"] or origin in settings.CORS_ORIGINS:
        return True
    return urlsplit(origin).netloc == host and (settings.ALLOWED_HOSTS != ["*"] or _is_certain(host))


@lru_cache(maxsize=256)
def _is_certain(host: str) -> bool:
    """Whether nobody else can have pointed this name at us: where any name is allowed, only ours by the settings and
    names that no name server answers for."""
    domain = urlsplit(f"//{host}").hostname or ""
    if domain == "localhost" or domain == urlsplit(settings.A2A_AGENT_URL).hostname:
        return True
    try:
        ipaddress.ip_address(domain)
    except ValueError:
        return False
    return True
