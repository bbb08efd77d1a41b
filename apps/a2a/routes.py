"""Routes of the protocol lane: the agent's card, the JSON-RPC binding at its addresses, and the REST binding."""

from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from apps.a2a import jsonrpc
from apps.a2a.addresses import REST_PATH
from apps.a2a.card_pages import card_page
from apps.a2a.card_routes import card_routes
from apps.a2a.rest import Binding
from apps.accounts.gate import unguarded
from apps.accounts.permissions import Scope

JSONRPC_PATHS = ("/a2a/jsonrpc", "/v1/a2a", "/", "/a2a", "/a2a/")
rest_binding = Binding()
_rest_at_root = Binding(tenants=False)


class RpcRoute(Route):
    """An address of the JSON-RPC binding. GET leads elsewhere; other verbs are refused in the binding's own shape."""

    required_scope = Scope.TASKS_READ

    def __init__(self, path: str) -> None:
        super().__init__(path, jsonrpc.serve, methods=["POST"], name="a2a_jsonrpc")

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        match, found = super().matches(scope)
        ours = match == Match.PARTIAL and scope["method"] not in ("GET", "HEAD")
        return (Match.FULL if ours else match), found

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Straight to the binding, which answers every exception itself: what Starlette wraps around costs as much."""
        post = scope["method"] == "POST"
        answer = await jsonrpc.serve(Request(scope, receive, send)) if post else jsonrpc.refuse_verb()
        await answer(scope, receive, send)


async def _rest_below(scope: AsgiScope, receive: Receive, send: Send) -> None:
    """The REST paths a second time, for clients that take the prefix of all bindings for REST's own address."""
    await _rest_at_root(scope, receive, send)


routes: list[BaseRoute] = [
    *(RpcRoute(path) for path in JSONRPC_PATHS),
    *card_routes,
    # On the binding's own addresses the card tells a curious client what to post there (`/` is the console's door).
    *(unguarded(path, card_page, methods=["GET"]) for path in JSONRPC_PATHS if path != "/"),
    Mount(REST_PATH, app=rest_binding),
    Mount("/a2a", app=_rest_below),  # last: it takes all that is left under /a2a/
]
