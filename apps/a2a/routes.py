"""Routes of the protocol lane: the agent's card, and the JSON-RPC binding at its three addresses."""

from starlette.routing import BaseRoute, Route

from apps.a2a import card, jsonrpc
from apps.accounts.gate import unguarded
from apps.accounts.permissions import Scope

JSONRPC_PATHS = ("/a2a/jsonrpc", "/v1/a2a", "/")


def _rpc(path: str) -> Route:
    route = Route(path, jsonrpc.serve, methods=["POST"], name="a2a_jsonrpc")
    route.required_scope = Scope.TASKS_READ  # type: ignore[attr-defined]
    return route


routes: list[BaseRoute] = [
    *(_rpc(path) for path in JSONRPC_PATHS),
    unguarded("/.well-known/agent-card.json", card.public_card, methods=["GET"]),
    unguarded("/.well-known/agent.json", card.public_card, methods=["GET"]),
    # On the binding's own addresses the card tells a curious client what to post there (`/` is the console's door).
    unguarded("/a2a/jsonrpc", card.public_card, methods=["GET"]),
    unguarded("/v1/a2a", card.public_card, methods=["GET"]),
]
