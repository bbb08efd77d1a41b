"""Streamable HTTP by the official SDK, stateless: each request stands alone, so any process serves any client.

Both eras of the protocol (the handshake's, 2024-11-05 to 2025-11-25, and 2026-07-28) come to one address; the SDK tells
them apart by a header. Answers are plain JSON, never streams: nothing is held open that would have to be ended.

What the SDK runs lives in one task for each event loop, that no request owns: it begins with the loop's first request
and ends with `closed`. Django's lifespan is not relied on, since not every server sends one.
"""

import asyncio
import contextvars
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from weakref import WeakKeyDictionary

from django.conf import settings
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from apps.mcp.listing import KeptLists
from apps.mcp.server import ToolServer

log = logging.getLogger(__name__)

PLAIN_JSON = ((b"content-type", b"application/json"), (b"accept", b"application/json, text/event-stream"))
NOT_SAID = {b"content-type", b"accept", b"content-length", b"mcp-protocol-version"}


class Face:
    """The MCP server of one event loop."""

    def __init__(self) -> None:
        self.server = ToolServer([KeptLists()])
        self.server.streamable_http_app(
            json_response=True,
            stateless_http=True,
            max_request_body_size=settings.MAX_BODY_BYTES,
            # hosts, origins and sizes are the edge's and the routes' business (apps/mcp/doors.py)
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self.manager: StreamableHTTPSessionManager = self.server.session_manager
        self._begun, self._closing = asyncio.Event(), asyncio.Event()
        # in a context of its own: it must not act for whoever came first
        self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())
        self._task.add_done_callback(_tell_of_failure)

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    async def begun(self) -> "Face":
        """Itself, once it serves."""
        await self._begun.wait()
        return self

    async def close(self) -> None:
        self._closing.set()
        await self._task

    async def _run(self) -> None:
        try:
            async with self.manager.run():
                self._begun.set()
                await self._closing.wait()
        finally:
            self._begun.set()  # nobody waits for what does not begin any more


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the MCP server has failed; the next call begins another", exc_info=task.exception())


_faces: WeakKeyDictionary[asyncio.AbstractEventLoop, Face] = WeakKeyDictionary()


async def face() -> Face:
    """The running loop's, which begins with the first call, and again with the next one should it have failed."""
    loop = asyncio.get_running_loop()
    ours = _faces.get(loop)
    if ours is None or ours.has_ended:
        ours = _faces[loop] = Face()
    return await ours.begun()


async def closed() -> None:
    """End what this loop has begun, if anything; calls under way are cut."""
    ours = _faces.pop(asyncio.get_running_loop(), None)
    if ours is not None:
        await ours.close()


class Answer(Response):
    """The SDK's answer to a request whose body has been read already, and whose caller is known."""

    def __init__(self, ours: Face, body: bytes, by: AbstractContextManager[None]) -> None:
        """`by` is the block within which its caller calls (`apps.mcp.caller`)."""
        self.background = None
        self.face, self.asked, self.by = ours, body, by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given: Iterator[Message] = iter([{"type": "http.request", "body": self.asked, "more_body": False}])

        async def replay() -> Message:
            return next(given, None) or await receive()

        with self.by:
            await self.face.manager.handle_request(scope, replay, send)


def trim_headers(request: Request) -> None:
    """The space around a field's value is no part of it (RFC 9110 §5.5); the SDK compares values with the body's."""
    request.scope["headers"] = [(name, value.strip(b" \t")) for name, value in request.scope["headers"]]


def as_plain_json(request: Request) -> None:
    """Let the request look to the SDK as one that says and accepts JSON: old clients say neither, or something else."""
    kept = [pair for pair in request.scope["headers"] if pair[0] not in NOT_SAID]
    request.scope["headers"] = [*kept, *PLAIN_JSON]
