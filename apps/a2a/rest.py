"""The HTTP+JSON binding of both versions (A2A 1.0 §11; 0.3 §3.2.3): thin endpoints on A2A's operations.

One `Binding` serves all paths below an address: the two versions' own, each with or without a slash at the end, and
1.0's also after a tenant. Whatever is wrong, a path that is none included, is answered in the version's own shape.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from a2a.utils.constants import A2A_JSON_MEDIA_TYPE
from a2a.utils.errors import InvalidRequestError, MethodNotFoundError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.a2a.asked import activated, check_media_type, check_version, media_type_of, tenant_of, version_of
from apps.a2a.errors import Refusal, refusal_of
from apps.a2a.incoming import ID_LIMIT, wrong
from apps.a2a.operations import NEW, OLD, Call
from apps.a2a.rest_paths import METHODS, METHODS_1_0, Given, RestMethod
from apps.a2a.streams import TaskStream
from apps.accounts.gate import credentials_of, principal_of, refuse_cookie_writes
from apps.accounts.permits import permitted, room_for_stream
from apps.core import jsontext, sse
from apps.core.errors import MethodNotAllowedError
from apps.core.own_address import base_url_of

Json = dict[str, Any]

PLAIN_JSON = "application/json"
TENANT = "/{tenant}"


class RestRoute(Route):
    """One method's path. Other verbs are refused in the binding's own shape; `allowed` are all that the path has."""

    def __init__(self, method: RestMethod, allowed: frozenset[str]) -> None:
        super().__init__(method.path, _endpoint(method), methods=list(method.verbs), name="a2a_rest")
        self.method = method
        self.allowed = allowed
        self.required_scope = method.operation.scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.methods is None or scope["method"] in self.methods:
            await super().handle(scope, receive, send)
            return
        allowed = ", ".join(sorted(self.allowed))
        response = _refused(self.method.version, MethodNotAllowedError(f"Allowed here: {allowed}."))
        response.headers["Allow"] = allowed
        await response(scope, receive, send)


class Binding:
    """An ASGI application with the paths of the binding; `tenants` says whether 1.0's are there after a tenant too."""

    def __init__(self, *, tenants: bool = True) -> None:
        self.routes = [_route(method) for method in METHODS]
        after_tenant: list[BaseRoute] = [_route(method) for method in METHODS_1_0]
        mounted = Mount(TENANT, app=Router(after_tenant, default=_nothing_of(NEW), redirect_slashes=False))
        rest = Router([mounted] if tenants else [], default=_nothing_of(NEW), redirect_slashes=False)
        # before the tenants, of whom nobody is called v1
        rest = Router([Mount("/v1", app=_nothing_of(OLD))], default=rest, redirect_slashes=False)
        self.router = Router(self.routes, default=rest, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self.router(scope, receive, send)


def _route(method: RestMethod) -> RestRoute:
    verbs = frozenset(verb for other in METHODS if other.path == method.path for verb in other.verbs)
    return RestRoute(method, verbs)


def _nothing_of(version: str) -> ASGIApp:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        await _refused(version, MethodNotFoundError("There is nothing at this path."))(scope, receive, send)

    return nothing


def _endpoint(method: RestMethod) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            return await _serve(request, method)
        except Exception as error:  # noqa: BLE001 (the binding's one boundary: everything becomes an answer)
            return _refused(method.version, error)

    return endpoint


async def _serve(request: Request, method: RestMethod) -> Response:
    principal = await principal_of(request)
    refuse_cookie_writes(request, principal)
    check_version(version_of(request), method.version)
    given = await _given(request, method)
    operation = method.operation
    if given.tenant:
        principal = await principal_of(request, given.tenant)
    principal.require(operation.scope)
    call = Call(
        principal=principal,
        params=method.read(given),
        version=method.version,
        base_url=partial(base_url_of, request),
        last_event_id=sse.last_event_id(request),
        agent=request.path_params.get("role", ""),
    )
    if operation.answer is not None:
        body = method.spell(await operation.answer(call), given.twice)
        headers = {"Cache-Control": "private, no-store", **activated(request)}
        return Response(jsontext.dumps(body), 200, headers, _media_type(request, method.version))
    assert operation.stream is not None
    credentials = credentials_of(request, given.tenant)
    await room_for_stream(credentials)
    stream = await operation.stream(call)
    return sse.EventStream(
        _frames(method, stream, given.twice),
        activated(request),
        while_allowed=permitted(credentials, operation.scope),
        tell=partial(_last_frame, method.version),
    )


async def _given(request: Request, method: RestMethod) -> Given:
    ids = {name: _id(name, value) for name, value in request.path_params.items()}
    body = await _body(request, method)
    tenant = tenant_of(body, ids.get("tenant", ""))
    return Given(ids, request.query_params, body, tenant, twice=method.version == OLD and _encodes_twice(request))


def _id(name: str, value: str) -> str:
    if len(value) > ID_LIMIT:
        raise wrong(name, f"Give at most {ID_LIMIT} characters.")
    return value


async def _body(request: Request, method: RestMethod) -> Json:
    """The body as an object: a GET's is passed over, and that of a POST on a task may be missing."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return {}
    raw = await request.body()
    if not raw.strip():
        if method.needs_body:
            raise InvalidRequestError("The body is missing: give a JSON object.")
        return {}
    check_media_type(request)
    body = jsontext.loads(raw)
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body


def _encodes_twice(request: Request) -> bool:
    """Whether this is the official Python client of 0.3, by the HTTP client that it is made with (`legacy_proto`)."""
    return request.headers.get("user-agent", "").startswith("python-httpx/")


def _media_type(request: Request, version: str) -> str:
    """1.0.1's own media type, but plain JSON for clients that send or accept nothing else, and for 0.3."""
    accepted = request.headers.get("accept", "")
    only_plain = PLAIN_JSON in accepted and A2A_JSON_MEDIA_TYPE not in accepted
    if version == OLD or only_plain or media_type_of(request) == PLAIN_JSON:
        return PLAIN_JSON
    return A2A_JSON_MEDIA_TYPE


async def _frames(method: RestMethod, stream: TaskStream, twice: bool) -> AsyncGenerator[bytes]:
    """The stream as SSE."""
    async with aclosing(stream.pages()) as pages:
        async for page in pages:
            frames = [sse.event("message", method.spell(told.event, twice), id=told.id) for told in page]
            yield b"".join(frames) if frames else sse.KEEPALIVE


def _last_frame(version: str, error: Exception) -> bytes:
    """What goes wrong in a stream is told by an `error` event, in the shape of a refusal."""
    return sse.event("error", _problem(version, refusal_of(error)))


def _refused(version: str, error: Exception) -> Response:
    refusal = refusal_of(error)
    status = refusal.http_old if version == OLD else refusal.http
    headers: Mapping[str, str] = refusal.headers
    return Response(jsontext.dumps(_problem(version, refusal)), status, dict(headers), PLAIN_JSON)


def _problem(version: str, refusal: Refusal) -> Json:
    """A google.rpc.Status (A2A 1.0 §11.6); for 0.3 the code and the name by which its clients know the error."""
    if version == OLD:
        return {"code": refusal.code, "message": refusal.message, "type": refusal.name}
    status = {"code": refusal.http, "status": refusal.grpc, "message": refusal.message, "details": refusal.details}
    return {"error": status}
