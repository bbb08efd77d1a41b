"""What surrounds every call of either gRPC service: who calls, in which version, and what becomes of errors.

gRPC's own layers answer INTERNAL for a request that cannot be decoded and UNKNOWN for any exception, so requests are
decoded here and every exception becomes the status of the table (`apps/a2a/errors.py`; A2A 1.0 §10.6).
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

import grpc
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.grpc_handler import GrpcServerCallContextBuilder
from a2a.utils.errors import InvalidParamsError, InvalidRequestError
from django.conf import settings
from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from apps.a2a.asked import EXTENSIONS, VERSION, check_version, in_force
from apps.a2a.errors import Refusal, refusal_of
from apps.a2a.handler import STATE, CallState
from apps.accounts.admission import admitted
from apps.accounts.gate import WORKSPACE_HEADER
from apps.accounts.principals import Credentials, Principal
from apps.accounts.refusals import is_refusal, refusal_note
from apps.core.caller import calls
from apps.core.db import in_database
from apps.core.errors import CodeTetherError
from apps.core.stopping import stopping
from apps.core.tenancy import act_for_nobody

type Context = Any
"""A grpc.aio.ServicerContext; gRPC has no types of its own."""
Mend = Callable[[Any], None]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_MESSAGE = 1_000
LARGEST_DETAILS = 4_096
"""Bytes. Clients take 8 KiB of metadata, and a refusal that they cannot take looks like a fault of ours."""
STATUS_KEY = "grpc-status-details-bin"
LAST_EVENT_ID = "last-event-id"
_REFUSED = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403}

_current: ContextVar[ServerCallContext] = ContextVar("a2a_call")


class StreamCutError(CodeTetherError):
    """This process ends before the stream does; another one goes on with it."""

    status, code = 503, "stream_cut"


class CurrentCall(GrpcServerCallContextBuilder):
    """Gives the SDK's handlers what was found out before they were called."""

    def build(self, context: Context) -> ServerCallContext:
        return _current.get()


class Rpc:
    """One method: decodes its request, lets the SDK's handler serve it, and tells errors."""

    def __init__(self, version: str, request: type[Message], serve: Callable[..., Any], mend: Mend | None) -> None:
        self.version = version
        self._request = request
        self._serve = serve
        self._mend = mend

    async def answer(self, raw: bytes, context: Context) -> Any:
        """Serve a call with one answer."""
        serve: Callable[..., Awaitable[Any]] = self._serve
        try:
            state = await self._begin(context)
            return await self._watched(state, serve(self._decode(raw), context))
        except Exception as error:  # noqa: BLE001 (the binding's one boundary: everything becomes a status)
            refusal = refusal_of(error)
        await self._note(refusal)
        return await _refuse(context, refusal)

    async def stream(self, raw: bytes, context: Context) -> None:
        """Serve a call with a stream of answers; whatever it has opened is closed when it ends or is cut."""
        serve: Callable[..., AsyncIterator[Any]] = self._serve
        state = None
        try:
            state = await self._begin(context)
            async with state.streams, aclosing(serve(self._decode(raw), context)) as answers:  # type: ignore[type-var]
                await self._watched(state, _until_the_end(_write_all(answers, context)))
            context.set_trailing_metadata(_place(state))
            return
        except Exception as error:  # noqa: BLE001 (as above)
            refusal = refusal_of(error)
        await self._note(refusal)
        await _refuse(context, refusal, _place(state) if state is not None else ())

    async def _begin(self, context: Context) -> CallState:
        """Who calls, and in which version; the first answer's headers go out with what was asked of them."""
        act_for_nobody()  # until it is known who calls
        sent = _metadata_of(context)
        answered = _answered(sent)
        calls(_address_of(context), answered[0][1])
        await context.send_initial_metadata(answered)
        principal = await _principal_of(sent)
        check_version(_first(sent, VERSION), self.version)
        state = CallState(
            principal=principal,
            credentials=_credentials_of(sent),
            version=self.version,
            base_url=settings.A2A_AGENT_URL,
            last_event_id=_first(sent, LAST_EVENT_ID),
            with_event_ids=any(in_force(sent.get(name.lower(), [])) for name in EXTENSIONS),
        )
        _current.set(ServerCallContext(state={STATE: state}))
        return state

    async def _note(self, refusal: Refusal) -> None:
        """As the edge does for HTTP: who is refused is in the audit trail before they hear of it."""
        status = _REFUSED.get(refusal.grpc, 0)
        if is_refusal(status):
            await in_database(refusal_note, way=f"GRPC {self._request.DESCRIPTOR.full_name}", status=status)

    def _decode(self, raw: bytes) -> Message:
        """The request; protobuf refuses bad UTF-8 and more than 100 levels of messages."""
        try:
            request = self._request.FromString(raw)
        except DecodeError as error:
            raise InvalidRequestError(f"The request cannot be decoded: {error}") from error
        if self._mend is not None:
            self._mend(request)
        return request

    async def _watched[T](self, state: CallState, serving: Awaitable[T]) -> T:
        """The SDK converts 0.3's requests before our own code sees them; what it cannot convert is a bad request."""
        try:
            return await serving
        except (ValueError, KeyError, TypeError) as error:
            if state.reached:
                raise
            raise InvalidParamsError(f"The request has a field that cannot be read: {error}") from error


async def _write_all(answers: AsyncIterator[Any], context: Context) -> None:
    async for answer in answers:
        await context.write(answer)


async def _until_the_end(writing: Awaitable[None]) -> None:
    """StreamCutError where this process is about to end before the stream does."""
    try:
        async with asyncio.timeout(None) as until:
            with stopping.calling(lambda: _end(until)):
                await writing
    except TimeoutError as error:
        if not until.expired():
            raise
        raise StreamCutError("This server is about to end; subscribe to the task to go on.", retry_after=1) from error


def _end(until: asyncio.Timeout) -> None:
    if not until.expired():
        until.reschedule(0)


async def _principal_of(sent: dict[str, list[str]]) -> Principal:
    return await admitted(_credentials_of(sent))


def _address_of(context: Context) -> str:
    """The client's address without its port: gRPC says `ipv4:192.0.2.1:5000`, `ipv6:%5B::1%5D:5000`."""
    kind, _, rest = (context.peer() or "").partition(":")
    return unquote(rest.rpartition(":")[0]).strip("[]") if kind.startswith("ip") else ""


def _credentials_of(sent: dict[str, list[str]]) -> Credentials:
    return Credentials(_first(sent, "authorization"), workspace=_first(sent, WORKSPACE_HEADER))


def _metadata_of(context: Context) -> dict[str, list[str]]:
    """What the client sent along, by lower-case name; binary values concern nothing here."""
    found: dict[str, list[str]] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            found.setdefault(name.lower(), []).append(value)
    return found


def _first(sent: dict[str, list[str]], name: str) -> str:
    return sent.get(name.lower(), [""])[0]


def _answered(sent: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    """The metadata before the first answer: the request's id, and which extensions are in force."""
    given = _first(sent, "x-request-id")
    request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    extensions = [(name.lower(), in_force(sent.get(name.lower(), []))) for name in EXTENSIONS]
    return ("x-request-id", request_id), *((name, uris) for name, uris in extensions if uris)


def _place(state: CallState) -> tuple[tuple[str, str], ...]:
    """Where a stream ended, so that its client can go on from there."""
    return ((LAST_EVENT_ID, state.heard),) if state.heard else ()


async def _refuse(context: Context, refusal: Refusal, trailing: tuple[tuple[str, str], ...] = ()) -> Any:
    """End the call with the refusal's status and its details (A2A 1.0 §10.6, google.rpc.Status)."""
    code = grpc.StatusCode[refusal.grpc]
    message = refusal.message[:LONGEST_MESSAGE]
    headers = tuple((name.lower(), value) for name, value in refusal.headers.items())
    details = _details(code, message, refusal)
    context.set_trailing_metadata((*trailing, *headers, (STATUS_KEY, details)))
    await context.abort(code, message)


def _details(code: grpc.StatusCode, message: str, refusal: Refusal) -> bytes:
    status = Status(
        code=code.value[0], message=message, details=[ParseDict(one, AnyProto()) for one in refusal.details]
    )
    while status.ByteSize() > LARGEST_DETAILS:
        del status.details[-1]
    encoded: bytes = status.SerializeToString()
    return encoded
