"""The JSON-RPC binding: one endpoint for both versions, told apart by the method's name (A2A 1.0 §9; 0.3 §7).

Errors are answered in JSON-RPC's way with HTTP 200, but for those of the connection (401, 403, 503), which
clients expect as HTTP statuses.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from a2a.utils.errors import (
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
)
from starlette.requests import Request
from starlette.responses import Response

from apps.a2a.asked import activated, check_media_type, check_version, tenant_of, version_of
from apps.a2a.errors import error_object, refusal_of
from apps.a2a.looking import View
from apps.a2a.methods import METHODS, Method
from apps.a2a.operations import OLD, Call
from apps.a2a.streams import TaskStream, Told
from apps.accounts.gate import body_of, credentials_of, json_response, principal_of, refuse_cookie_writes
from apps.accounts.permits import permitted, room_for_stream
from apps.core import jsontext, sse
from apps.core.errors import MethodNotAllowedError
from apps.core.own_address import base_url_of

Json = dict[str, Any]
RequestId = str | int | None

ID_LIMIT = 1_000


@dataclass(slots=True)
class Asked:
    """What is known of a request so far, for whatever answer it gets."""

    id: RequestId = None
    method: Method | None = None

    @property
    def legacy(self) -> bool:
        return self.method is not None and self.method.version == OLD

    @property
    def streams(self) -> bool:
        return self.method is not None and self.method.operation.stream is not None


async def serve(request: Request) -> Response:
    """Answer one POST."""
    asked = Asked()
    try:
        principal = await principal_of(request)
        refuse_cookie_writes(request, principal)
        check_media_type(request)
        body = _read(await body_of(request), asked)
        method = asked.method = _method_of(body)
        check_version(version_of(request), method.version)
        if "id" not in body and not _is_quick_start(request, body):
            raise InvalidRequestError("id: give one; every A2A method is answered.")
        operation = method.operation
        params = _params_of(body)
        if tenant := tenant_of(params):
            principal = await principal_of(request, tenant)
        principal.require(operation.scope)
        call = Call(
            principal=principal,
            params=params,
            version=method.version,
            base_url=partial(base_url_of, request),
            last_event_id=sse.last_event_id(request),
            agent=request.path_params.get("role", ""),
        )
        if operation.answer is not None:
            answer = await operation.answer(call)
            result = answer.told(method.spell) if isinstance(answer, View) else method.spell(answer)
            return json_response({"jsonrpc": "2.0", "id": asked.id, "result": result}, headers=activated(request))
        assert operation.stream is not None
        await room_for_stream(credentials := credentials_of(request, tenant))
        stream = await operation.stream(call)
        return sse.EventStream(
            _frames(asked, method, stream),
            activated(request),
            while_allowed=permitted(credentials, operation.scope),
            tell=partial(_last_frame, asked),
        )
    except Exception as error:  # noqa: BLE001 (the binding's one boundary: everything becomes an answer)
        return _refused(asked, error)


def _refused(asked: Asked, error: Exception) -> Response:
    """The answer to a refused call. 0.3's clients read the errors of streaming methods from the stream."""
    refusal = refusal_of(error)
    body = {"jsonrpc": "2.0", "id": asked.id, "error": error_object(refusal, legacy=asked.legacy)}
    if refusal.status == 200 and asked.legacy and asked.streams:
        return sse.EventStream(_only(body))
    return json_response(body, refusal.status, refusal.headers)


def refuse_verb() -> Response:
    """The answer to anything but a POST: with its HTTP status, for who sends it is no client of JSON-RPC."""
    refusal = refusal_of(MethodNotAllowedError("Allowed here: POST."))
    body = {"jsonrpc": "2.0", "id": None, "error": error_object(refusal)}
    return json_response(body, refusal.http, {"Allow": "POST"})


async def _only(body: Json) -> AsyncGenerator[bytes]:
    yield sse.event("message", body)


def _read(raw: bytes, asked: Asked) -> Json:
    """The request object (JSON-RPC 2.0 §4); its id is kept for the answer as soon as it is known."""
    body = jsontext.loads(raw)
    if isinstance(body, list):
        raise InvalidRequestError("Batches are not part of A2A; send one request at a time.")
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON-RPC request object.")
    given = body.get("id")
    if isinstance(given, bool) or not isinstance(given, str | int | None) or len(str(given)) > ID_LIMIT:
        raise InvalidRequestError("id: give a text or a whole number.")
    asked.id = given
    if body.get("jsonrpc") != "2.0":
        raise InvalidRequestError("jsonrpc: must be '2.0'.")
    return body


def _method_of(body: Json) -> Method:
    name = body.get("method")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError("method: give the method's name.")
    method = METHODS.get(name)
    if method is None:
        raise MethodNotFoundError(f"There is no method {name[:100]!r}.")
    return method


def _is_quick_start(request: Request, body: Json) -> bool:
    """The documented quick start posts message/send to `/` without an id, and wants an answer (contract: A2A)."""
    return request.scope["path"] == "/" and body.get("method") == "message/send"


def _params_of(body: Json) -> Json:
    params = body.get("params")
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise InvalidParamsError("params: give an object.")
    return params


async def _frames(asked: Asked, method: Method, stream: TaskStream) -> AsyncGenerator[bytes]:
    """The stream as SSE: each event is a JSON-RPC answer to the same request."""
    async with aclosing(stream.pages()) as pages:
        async for page in pages:
            yield b"".join(_frame(asked, method, told) for told in page) if page else sse.KEEPALIVE


def _last_frame(asked: Asked, error: Exception) -> bytes:
    """What ended a stream: by now an error can only be an event."""
    body = {"jsonrpc": "2.0", "id": asked.id, "error": error_object(refusal_of(error), legacy=asked.legacy)}
    return sse.event("message" if asked.legacy else "error", body)


def _frame(asked: Asked, method: Method, told: Told) -> bytes:
    result = method.spell(told.event)
    return sse.event("message", {"jsonrpc": "2.0", "id": asked.id, "result": result}, id=told.id)
