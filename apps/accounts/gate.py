"""The gate of the protocol lane: authenticates, parses, runs, and renders errors, the same for every thin endpoint.

The management lane (DRF) calls the same `authenticate` and the same permission table.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from apps.accounts.admission import admit_visitor, admitted
from apps.accounts.permissions import Scope
from apps.accounts.principals import Credentials, Principal
from apps.core import jsontext
from apps.core.errors import CodeTetherError, MalformedError, MethodNotAllowedError
from apps.core.headers import headers_of
from apps.core.problems import problem_body, problem_headers, problem_of

Handler = Callable[[Request, Principal], Awaitable[Response]]
OpenHandler = Callable[[Request], Awaitable[Response]]


WORKSPACE_HEADER = "x-workspace"


def credentials_of(connection: HTTPConnection, workspace: str = "") -> Credentials:
    """What a request or WebSocket brought to identify itself, and the workspace that it names (here or elsewhere)."""
    headers = headers_of(connection)
    authorization, named = headers.get("authorization", ""), headers.get(WORKSPACE_HEADER, "")
    in_address = _in_address(connection)
    if in_address and named not in ("", in_address):
        raise MalformedError("The address and X-Workspace name different workspaces.", code="contradiction")
    named = named or in_address
    if workspace and named not in ("", workspace):
        raise MalformedError("The header X-Workspace names another workspace.", code="contradiction")
    session_key = "" if authorization else connection.cookies.get(settings.SESSION_COOKIE_NAME, "")
    return Credentials(authorization, session_key, workspace or named)


def _in_address(connection: HTTPConnection) -> str:
    """The workspace in the address of what is only read: browsers cannot set headers for streams, sockets and links."""
    if b"workspace=" not in connection.scope.get("query_string", b""):
        return ""
    is_read = connection.scope["type"] == "websocket" or connection.scope["method"] in ("GET", "HEAD")
    return connection.query_params.get("workspace", "") if is_read else ""


async def principal_of(connection: HTTPConnection, workspace: str = "") -> Principal:
    """Who is asking, for whose workspace this request acts from here on; UnauthenticatedError when nobody who may,
    RateLimitedError when too often."""
    return await admitted(credentials_of(connection, workspace))


class JsonAnswer(Response):
    """A body that is JSON already, with its headers as they go out: Starlette's own way to them costs a third more."""

    media_type = "application/json"

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.status_code, self.body, self.background = status, body, None
        own = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        self.raw_headers = own + [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JsonAnswer(jsontext.dumps(value), status, headers or {})


async def body_of(request: Request) -> bytes:
    """The request's body; ClientDisconnect where it ends in the middle. For who reads it once."""
    pieces = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def problem_response(error: Exception) -> Response:
    """The JSON answer for any exception (contract: general rules)."""
    if isinstance(error, ClientDisconnect):
        return Response(
            status_code=400
        )  # it left before its body had come: nobody reads this, and nothing is wrong here
    problem: CodeTetherError = problem_of(error)
    return json_response(problem_body(problem), problem.status, problem_headers(problem))


class LaneRoute(Route):
    """A route that knows which scope its caller needs (None: anyone may call), and refuses other methods in JSON."""

    def __init__(
        self, path: str, endpoint: OpenHandler, *, methods: list[str], name: str, required_scope: Scope | None
    ):
        super().__init__(path, endpoint, methods=methods, name=name)
        self.required_scope = required_scope

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if self.methods is None or scope["method"] in self.methods:
            await super().handle(scope, receive, send)
            return
        refusal = problem_response(MethodNotAllowedError(f"Allowed here: {', '.join(sorted(self.methods))}."))
        refusal.headers["Allow"] = ", ".join(sorted(self.methods))
        await refusal(scope, receive, send)


def guarded(path: str, handler: Handler, *, methods: list[str], scope: Scope) -> Route:
    """A route whose caller must hold `scope`. Reading by cookie is fine; writing by cookie is for the pages (CSRF)."""

    async def endpoint(request: Request) -> Response:
        try:
            principal = await principal_of(request)
            refuse_cookie_writes(request, principal)
            principal.require(scope)
            return await handler(request, principal)
        except Exception as error:  # noqa: BLE001 (the lane's one boundary: everything becomes an answer)
            return problem_response(error)

    return LaneRoute(path, endpoint, methods=methods, name=handler.__name__, required_scope=scope)


def unguarded(path: str, handler: OpenHandler, *, methods: list[str], counted: bool = True) -> Route:
    """A route that anyone may call; without end where its calls are not `counted`."""

    async def endpoint(request: Request) -> Response:
        try:
            if counted:
                await admit_visitor(credentials_of(request))
            return await handler(request)
        except Exception as error:  # noqa: BLE001 (as above)
            return problem_response(error)

    return LaneRoute(path, endpoint, methods=methods, name=handler.__name__, required_scope=None)


def refuse_cookie_writes(request: Request, principal: Principal) -> None:
    """A browser sends its cookie for any site: without a CSRF token, a cookie may only read in this lane."""
    if principal.by_cookie and request.method not in ("GET", "HEAD", "OPTIONS"):
        raise CookieWriteError("Give a token: a browser session alone may only read here.")


class CookieWriteError(CodeTetherError):
    status, code = 403, "csrf"


async def json_object(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object."""
    return jsontext.loads_object(await request.body())
