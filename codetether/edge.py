"""What holds for every request of both lanes, before either sees it: request id, limits, security headers."""

import itertools
import re
import uuid
from time import perf_counter

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
    WebSocketScope,
)
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from apps.accounts.gate import problem_response
from apps.accounts.refusals import is_refusal, refusal_note
from apps.core.caller import caller, calls
from apps.core.db import in_database
from apps.core.errors import MalformedError, TooLargeError
from apps.core.limits import limit_headers
from apps.core.metrics import http_answers
from apps.core.tenancy import NOBODY, acting
from apps.workers.uploads import PATH_PATTERN as UPLOAD_PATH
from codetether.edge_headers import PREFLIGHT, cors_headers, cors_origin, is_preflight, security_headers

_PROCESS = uuid.uuid4().hex[:20].encode()
_numbers = itertools.count()

HEALTH = ("/health", "/v1/health", "/health/ready")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Edge:
    """ASGI middleware around both lanes."""

    def __init__(self, app: ASGI3Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        with acting(NOBODY):  # until it is known who asks
            if scope["type"] == "http":
                await self._serve(scope, receive, send)
            else:
                await self._serve_socket(scope, receive, send)

    async def _serve_socket(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        client = scope.get("client")
        calls(client[0] if client else "", _request_id(scope).decode())

        async def sender(message: ASGISendEvent) -> None:
            if message["type"] == "websocket.close":
                await _note(f"WS {scope['path']}", (message.get("code") or 0) - 4000)
            await send(message)

        await self.app(scope, receive, sender)

    async def _serve(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        request_id = _request_id(scope)
        client = scope.get("client")
        calls(client[0] if client else "", request_id.decode())
        sender = _Sender(scope, send, request_id)
        try:
            _check_host(scope)
            _check_address(scope)
            limit = _body_limit(scope)
            _check_announced_size(scope, limit)
            if is_preflight(scope) and cors_origin(scope):
                await sender({"type": "http.response.start", "status": 204, "headers": PREFLIGHT, "trailers": False})
                await sender({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await self.app(scope, _Limited(receive, limit), sender)
        except (MalformedError, TooLargeError) as error:
            if not sender.started:
                response = problem_response(error)
                await response(dict(scope), receive, sender)  # type: ignore[arg-type]


class _Limited:
    """Counts the body as it arrives, for requests that do not announce its length truly."""

    def __init__(self, receive: ASGIReceiveCallable, limit: int) -> None:
        self.receive = receive
        self.limit = limit
        self.received = 0

    async def __call__(self) -> ASGIReceiveEvent:
        message = await self.receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > self.limit:
                raise TooLargeError(f"The body is larger than {self.limit} bytes.")
        return message


class _Sender:
    """Adds the headers that every answer carries, and measures how long the answer was in coming."""

    def __init__(self, scope: HTTPScope, send: ASGISendCallable, request_id: bytes) -> None:
        self.began = perf_counter()
        self.scope = scope
        self.send = send
        self.request_id = request_id
        self.started = False

    async def __call__(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if message["status"] in (401, 403):
                await _note(f"{self.scope['method']} {self.scope['path']}", message["status"])
            http_answers(_lane(self.scope), message["status"] // 100).observe(perf_counter() - self.began)
            present = {name.lower(): value for name, value in message["headers"]}
            message["headers"] = [*message["headers"], *self._added(present)]
        await self.send(message)

    def _added(self, present: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """The headers of every answer that are not among those `present`."""
        wanted = security_headers(self.scope, present.get(b"content-type", b""))
        origin = cors_origin(self.scope)
        if origin:
            wanted += cors_headers(origin)
        added = [pair for pair in wanted if pair[0] not in present]
        if origin:
            added.append((b"vary", b"Origin"))
        return [*added, *limit_headers(caller().standings), (b"x-request-id", self.request_id)]


async def _note(way: str, status: int) -> None:
    """A refusal of somebody who tried is in the audit trail before they hear of it."""
    if is_refusal(status):
        await in_database(refusal_note, way=way, status=status)


def _lane(scope: HTTPScope) -> str:
    """Which lane has answered: the router leaves its marks in the scope (Starlette, `Router.app`)."""
    if "endpoint" in scope:
        return "protocol"
    return "management" if "router" in scope else "edge"


def _request_id(scope: HTTPScope | WebSocketScope) -> bytes:
    """The caller's `X-Request-ID` where it is a plain one, else a fresh one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return value
    return b"%s%08x" % (_PROCESS, next(_numbers))


def _check_address(scope: HTTPScope) -> None:
    """No id, name or search may hold a NUL: PostgreSQL has no text with one."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise MalformedError("The address holds a NUL character.")


def _check_host(scope: HTTPScope) -> None:
    """The name by which we are called is one of ours (a page elsewhere could rebind its own name to our address).

    Health is asked by probes that know only an address, and tells nothing.
    """
    if settings.ALLOWED_HOSTS == ["*"] or scope["path"] in HEALTH:
        return
    named = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    host, _ = split_domain_port(named)
    if not validate_host(host, settings.ALLOWED_HOSTS):
        raise MalformedError("This server is not known by that host name (CODETETHER_ALLOWED_HOSTS).", code="bad_host")


def _body_limit(scope: HTTPScope) -> int:
    """Bytes of a body; where workers send files, those of a file."""
    is_file = scope["method"] == "POST" and UPLOAD_PATH.fullmatch(scope["path"])
    return settings.MAX_FILE_BYTES if is_file else settings.MAX_BODY_BYTES


def _check_announced_size(scope: HTTPScope, limit: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise TooLargeError(f"The body is larger than {limit} bytes.")
