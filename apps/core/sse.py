"""Server-Sent Events (WHATWG HTML §9.2): the one place that frames them and keeps such an answer open.

A stream is an async generator of `bytes`, each one or more whole frames made by `event`. It is asked for
more only after the last were sent, so a slow reader costs one piece of memory and blocks nobody. After
`settings.SSE_KEEPALIVE_SECONDS` of silence it yields `KEEPALIVE` (or `keepalive(id)`); `tasks.log.follow`
tells by an empty page when that is.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager, nullcontext

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apps.core import jsontext
from apps.core.errors import MalformedError, TooLargeError
from apps.core.headers import headers_of, query_of
from apps.core.metrics import SSE_STREAMS
from apps.core.problems import problem_of
from apps.core.stopping import stopping

KEEPALIVE = b": keepalive\n\n"
RETRY_MILLISECONDS = (1_000, 3_000)
"""Clients come back after a random time between these: not all at once after a restart."""
FAREWELL_SECONDS = 0.5
LAST_EVENT_ID_LIMIT = 200
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


def event(name: str, data: object, *, id: str = "") -> bytes:  # noqa: A002 (the field's own name)
    """One frame. JSON holds no line break, so one `data` line is enough; `id` and `name` hold none either."""
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: ".encode() + jsontext.dumps(data) + b"\n\n"


def keepalive(id: str) -> bytes:  # noqa: A002 (as above)
    """Silence with a place in it: a frame without data raises no event, but the client remembers its id."""
    return f": keepalive\nid: {id}\n\n".encode()


def last_event_id(request: HTTPConnection) -> str:
    """Where the client wants to go on: the `Last-Event-ID` header, else `?last_event_id=`; else empty.

    A browser's first request cannot carry the header, and later ones do beside the old query: so the header
    wins.
    """
    given = headers_of(request).get("last-event-id") or query_of(request, "last_event_id")
    if len(given) > LAST_EVENT_ID_LIMIT:
        raise MalformedError("The Last-Event-ID is none of ours.", code="bad_last_event_id")
    return given


class EventStream(Response):
    """An answer that stays open until `frames` ends, the client goes, or the process stops.

    It holds two asyncio tasks and no thread. When the process stops, the answer ends properly between two
    frames, so the client resumes elsewhere with the last id that it has seen. An error in `frames` is sent
    as an `error` event. `headers` are sent beside those that every stream has.

    All is sent within the block `while_allowed`; what ends it is an error as well. `tell` spells errors as frames.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        headers: Mapping[str, str] | None = None,
        *,
        while_allowed: AbstractAsyncContextManager[None] | None = None,
        tell: "Callable[[Exception], bytes] | None" = None,
    ) -> None:
        super().__init__()
        self.frames = frames
        self.while_allowed: AbstractAsyncContextManager[None] = while_allowed or nullcontext()
        self.tell = tell or error_event
        self.more = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.frames):
            await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *self.more]})
            if scope["method"] != "HEAD":
                with SSE_STREAMS.track_inprogress():
                    await self._stream(receive, send)
            await _finish(send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        until = asyncio.timeout(None)
        watcher = asyncio.create_task(_watch(receive, until))
        try:
            async with until:
                with _ending(until):
                    await self._send_all(send)
        except TimeoutError:
            if not until.expired():
                raise
        finally:
            watcher.cancel()

    async def _send_all(self, send: Send) -> None:
        # A line of the first frame: in a block of its own, the A2A 0.3 client takes it for an event without data.
        await _write(send, f"retry: {random.randint(*RETRY_MILLISECONDS)}\n".encode())  # noqa: S311
        try:
            async with self.while_allowed:
                async for piece in self.frames:
                    await _write(send, piece)
        except Exception as error:  # noqa: BLE001 (the boundary: by now an error can only be an event)
            await _write(send, self.tell(error))


def error_event(error: Exception) -> bytes:
    """What ended a stream, as its last event."""
    problem = problem_of(error)
    return event("error", {"error": problem.detail, "code": problem.code})


async def _write(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _finish(send: Send) -> None:
    """Close the body. A client that does not read must not hold up the process's end."""
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        pass


async def _watch(receive: Receive, until: asyncio.Timeout) -> None:
    """End the stream when the client has gone (or sends a body that is too large for the edge)."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except TooLargeError:
        pass
    _end(until)


@contextmanager
def _ending(until: asyncio.Timeout) -> Iterator[None]:
    with stopping.calling(lambda: _end(until)):
        yield


def _end(until: asyncio.Timeout) -> None:
    """Leave the block of `until` at the next turn of the loop: a timeout that has just passed."""
    if not until.expired():
        until.reschedule(0)
