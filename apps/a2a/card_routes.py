"""Routes of the cards, the keys, and the roles' own addresses."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, compile_path
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from apps.a2a import jsonrpc
from apps.a2a.addresses import JWKS_PATH
from apps.a2a.card_pages import card_page, keys_page, options_page, role_page
from apps.a2a.rest import Binding
from apps.accounts.gate import Handler, guarded, principal_of, problem_response, unguarded
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.workers.roles import role_check
from apps.workers.selectors import AGENT_CARD_PATH, AGENT_PATH

CARD_PATHS = ("/.well-known/agent-card.json", "/.well-known/agent.json")
_rest = Binding(tenants=False)


async def role_jsonrpc(request: Request, principal: Principal) -> Response:
    """JSON-RPC with the agent of a role; there is no such address where the workspace never had one."""
    await in_database(role_check, principal.workspace_id, request.path_params["role"])
    return await jsonrpc.serve(request)


async def _role_rest(scope: AsgiScope, receive: Receive, send: Send) -> None:
    """The REST binding's paths once more, as above; which agent they are for is in the path before them."""
    request = Request(scope, receive)
    try:
        principal = await principal_of(request)
        await in_database(role_check, principal.workspace_id, request.path_params["role"])
    except Exception as error:  # noqa: BLE001 (the lane's boundary, as in apps/accounts/gate.py)
        await problem_response(error)(scope, receive, send)
        return
    await _rest(scope, receive, send)


def _of_role[T: (Route, Mount)](route: T, path: str) -> T:
    """The route, with a role's name that may hold slashes (they come unquoted)."""
    route.path_regex, route.path_format, route.param_convertors = compile_path(path.replace("{role}", "{role:path}"))
    return route


def _guarded(path: str, handler: Handler, method: str) -> Route:
    return _of_role(guarded(path, handler, methods=[method], scope=Scope.TASKS_READ), path)


card_routes: list[BaseRoute] = [
    *(unguarded(path, card_page, methods=["GET"]) for path in CARD_PATHS),
    unguarded(JWKS_PATH, keys_page, methods=["GET"]),
    *(unguarded(path, options_page, methods=["OPTIONS"]) for path in (*CARD_PATHS, JWKS_PATH)),
    # In this order: what a role's own address is followed by may not be taken for a part of its name.
    _guarded(AGENT_CARD_PATH, role_page, "GET"),
    _of_role(Mount(f"{AGENT_PATH}/rest", app=_role_rest), f"{AGENT_PATH}/rest/{{path:path}}"),
    _guarded(AGENT_PATH, role_jsonrpc, "POST"),
    _guarded(AGENT_PATH, role_page, "GET"),
]
