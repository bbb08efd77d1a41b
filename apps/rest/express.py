"""Operations that programs call all the time, by the protocol lane: the same declarations, without Django's request.

Making a task is the hot one (docs/decisions/0009). A call by a browser's session goes on to the management lane, which
checks CSRF tokens.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope as AsgiScope

from apps.accounts.gate import LaneRoute, guarded
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.rest.endpoint import Call, Endpoint, perform
from apps.rest.views.tasks import Tasks


class ExpressRoute(LaneRoute):
    """Takes its one method from callers with a token; everything else is somebody else's."""

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        if scope["method"] not in (self.methods or ()) or not _has_token(scope):
            return Match.NONE, {}
        return super().matches(scope)


def _has_token(scope: AsgiScope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])


def express(path: str, view_class: type[Endpoint], method: str) -> ExpressRoute:
    """A route of the protocol lane for one operation (that needs one scope) of a REST view."""
    operation = getattr(view_class, method.lower())
    declared = view_class.operations[method]
    (scope,) = declared.scopes

    async def handler(request: Request, principal: Principal) -> Response:
        view = view_class()
        view.caller = principal
        call = Call(
            method=method,
            path=request.url.path,
            ids=request.path_params,
            query=request.query_params,
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
            idempotency_key=request.headers.get("idempotency-key"),
        )
        answer = await in_database(perform, view, operation.__wrapped__, declared, call)
        return Response(answer, media_type="application/json")

    handler.__name__ = f"express_{view_class.__name__.lower()}_{method.lower()}"
    lane = guarded(path, handler, methods=[method], scope=scope)
    return ExpressRoute(path, lane.endpoint, methods=[method], name=lane.name, required_scope=scope)


routes: list[BaseRoute] = [express(f"/v1/{prefix}/tasks", Tasks, "POST") for prefix in ("opencode", "agent")]
