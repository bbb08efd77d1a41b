"""One remote agent at the other end of the SDK's client, and what can go wrong there, in our words."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.client.errors import A2AClientError
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
)
from a2a.utils.errors import A2AError, InternalError, TaskNotFoundError
from google.protobuf.json_format import ParseError

from apps.core.errors import CodeTetherError
from apps.core.extension import EXTENSION
from apps.core.outbound import OutboundRefusedError, outbound_client
from apps.federation.cards import card_of, interface_of
from apps.federation.errors import refused
from apps.federation.models import RemoteAgent
from apps.federation.services import credentials_of

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 300.0
"""What a stream may be silent, and a blocking agent may take to answer, before the connection is taken for dead."""
CALL_SECONDS = 30.0
STREAM_BYTES = 200_000_000
HISTORY_LENGTH = 50
BUSY_SECONDS = 30.0
BUSY_MOST = 3600.0


class Fault(StrEnum):
    """What kind of trouble it is, which decides what becomes of the task."""

    UNREACHABLE = "remote_unreachable"  # the network, or the server there: another try may help
    BUSY = "remote_busy"  # it asked us to come again later
    DENIED = "remote_denied"  # our credentials
    REFUSED = "remote_refused"  # the agent does not take what we said
    LOST = "remote_task_lost"  # it does not know the task any more
    UNREADABLE = "remote_unreadable"  # what it says is not A2A


class TroubleError(Exception):
    """A call did not come to its end; the message is for people. `retry_after` in seconds, where the agent said so."""

    def __init__(self, fault: Fault, message: str, retry_after: float = BUSY_SECONDS) -> None:
        super().__init__(message)
        self.fault = fault
        self.retry_after = retry_after


class Remote:
    """Calls to one agent, with its credentials. Close it when no task uses it any more."""

    def __init__(self, agent: RemoteAgent) -> None:
        card = card_of(agent.card)
        interface = interface_of(card)
        if interface is None:
            raise refused("card_url", "The kept card offers no interface that we call.")
        del card.supported_interfaces[:]
        card.supported_interfaces.append(interface)
        self.agent = agent
        self.streams = card.capabilities.streaming
        self._http = outbound_client(total=None, max_bytes=STREAM_BYTES)
        self._http.timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        config = ClientConfig(
            streaming=self.streams,
            polling=not self.streams,
            httpx_client=self._http,
            supported_protocol_bindings=[interface.protocol_binding],
        )
        self._streaming = ClientFactory(config).create(card)
        config = ClientConfig(
            streaming=False,
            polling=True,
            httpx_client=self._http,
            supported_protocol_bindings=[interface.protocol_binding],
        )
        self._plain = ClientFactory(config).create(card)
        self._headers = {**credentials_of(agent).headers, "A2A-Extensions": EXTENSION}

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, request: SendMessageRequest) -> AsyncGenerator[StreamResponse]:
        """Send a message; what the agent says from then on, or, where it does not stream, its first answer."""
        async for response in self._read(self._streaming.send_message(request, context=self._context())):
            yield response

    async def tell(self, request: SendMessageRequest) -> None:
        """Send a message and wait for no more than that it is taken."""
        async with aclosing(self._read(self._plain.send_message(request, context=self._context()))) as responses:
            async for _ in responses:
                return

    async def follow(self, task_id: str) -> AsyncGenerator[StreamResponse]:
        """What the agent says of a task from now on; only where it streams."""
        events = self._streaming.subscribe(SubscribeToTaskRequest(id=task_id), context=self._context())
        async for response in self._read(events):
            yield response

    async def get(self, task_id: str) -> Task:
        """The task as it is there now."""
        request = GetTaskRequest(id=task_id, history_length=HISTORY_LENGTH)
        return await self._answer(self._plain.get_task(request, context=self._context(CALL_SECONDS)))

    async def cancel(self, task_id: str) -> None:
        await self._answer(self._plain.cancel_task(CancelTaskRequest(id=task_id), context=self._context(CALL_SECONDS)))

    def _context(self, timeout: float | None = None) -> ClientCallContext:
        return ClientCallContext(service_parameters=dict(self._headers), timeout=timeout)

    async def _read(self, events: AsyncIterator[StreamResponse]) -> AsyncGenerator[StreamResponse]:
        with _told_as_trouble(self.agent.name):
            async with aclosing(events) as responses:  # type: ignore[type-var]
                async for response in responses:
                    yield response

    async def _answer[T](self, call: Awaitable[T]) -> T:
        with _told_as_trouble(self.agent.name):
            return await call


@contextmanager
def _told_as_trouble(name: str) -> Iterator[None]:
    try:
        yield
    except (A2AError, CodeTetherError, httpx.HTTPError, ParseError, ValueError, TypeError, KeyError) as error:
        raise trouble_of(error, name) from error


def trouble_of(error: Exception, name: str) -> TroubleError:
    """What an error of the SDK's client means. Its texts hold addresses and what the agent said, never credentials."""
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPStatusError) and not _is_spoken(error):
        return _of_status(cause.response, name)
    if isinstance(error, httpx.HTTPError) or isinstance(cause, httpx.HTTPError):
        return TroubleError(Fault.UNREACHABLE, f"The remote agent {name} cannot be reached: {cause or error}")
    if isinstance(error, OutboundRefusedError):
        fault = Fault.UNREACHABLE if isinstance(cause, OSError) else Fault.REFUSED
        return TroubleError(fault, f"The remote agent {name} is not called: {error.detail}")
    if isinstance(error, TaskNotFoundError):
        return TroubleError(Fault.LOST, f"The remote agent {name} does not know the task any more.")
    if isinstance(error, InternalError):
        return TroubleError(Fault.UNREACHABLE, f"The remote agent {name} met an error of its own: {error}")
    if isinstance(error, A2AError) and (_is_spoken(error) or "JSON-RPC Error" in str(error)):
        return TroubleError(Fault.REFUSED, f"The remote agent {name} refused: {error}")
    return TroubleError(Fault.UNREADABLE, f"The remote agent {name} gave an answer that is not A2A: {error}")


def _is_spoken(error: Exception) -> bool:
    """Whether the agent itself told the error, in A2A's words."""
    return isinstance(error, A2AError) and not isinstance(error, A2AClientError)


def _of_status(response: httpx.Response, name: str) -> TroubleError:
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return TroubleError(Fault.DENIED, f"The remote agent {name} does not accept our credentials (HTTP 401).")
    if status == httpx.codes.FORBIDDEN:
        return TroubleError(Fault.DENIED, f"Our credentials do not allow this at the remote agent {name} (HTTP 403).")
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        message = f"The remote agent {name} is busy (HTTP {status})."
        return TroubleError(Fault.BUSY, message, _seconds(response.headers.get("retry-after", "")))
    fault = Fault.UNREACHABLE if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT else Fault.REFUSED
    return TroubleError(fault, f"The server of the remote agent {name} answered HTTP {status}.")


def _seconds(retry_after: str) -> float:
    """Seconds or an HTTP date (RFC 9110 §10.2.3)."""
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _until(retry_after)
    return min(max(seconds, 1.0), BUSY_MOST) if seconds == seconds else BUSY_SECONDS


def _until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return BUSY_SECONDS
    return (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else BUSY_SECONDS
