"""Connections of the web process: uvicorn's own, with bounds on what a client may send before anybody looks at it.

uvicorn reads headers of any size and number, and waits for them, for a body, and for a reader without end. Here a head
has a size, a number of fields and a time; a body has to come, and an answer to be taken, at a least pace. One look a
second at all connections sees to the times, so a request costs a few comparisons and no timer.
"""

import asyncio
import logging
import resource
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from apps.core import jsontext

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 65_536
MAX_FIELDS = 100
HEAD_SECONDS = 20.0
"""For a whole head, and for a new connection to begin one. Between requests uvicorn's own five seconds hold."""
BODY_SECONDS = 20.0
BODY_PACE = 1_024
"""Bytes a second: each that came gives the body so much more time than BODY_SECONDS."""
STALL_SECONDS = 60.0
STALL_BYTES = 16_384
"""So much of an answer has to be taken within STALL_SECONDS; a stream that is cut goes on by its last id."""
LOOK_SECONDS = 1.0
SPARE_FILES = 200
"""Open files that connections leave to everything else."""

Problem = tuple[int, str, str]
"""HTTP status, code, detail."""
BAD_REQUEST: Problem = (400, "malformed", "This is not HTTP.")
HEAD_TOO_LARGE: Problem = (
    431, "headers_too_large", f"The headers have more than {MAX_HEAD_BYTES} bytes or {MAX_FIELDS} fields."
)  # fmt: skip
HEAD_TOO_SLOW: Problem = (408, "request_timeout", "The headers did not come in time.")
BODY_TOO_SLOW: Problem = (408, "request_timeout", "The body comes too slowly.")
FULL: Problem = (503, "too_many_connections", "This process has as many connections as it may (A2A_MAX_CONNECTIONS).")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `since` is when the head or the body began that is under way, `came` are its bytes so far."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.is_in_head, self.is_in_body = True, False
        self.came = 0
        self.since = self.loop.time()
        self.refusal = BAD_REQUEST
        self.unread: tuple[float, int] | None = None
        if len(self.connections) > _room():
            self.refuse(FULL)
        Look.keep(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        if self.is_in_head and not self.came:
            self.since = self.loop.time()
        self.came += len(data)
        super().data_received(data)
        if self.is_in_head and self.came > MAX_HEAD_BYTES:
            self.refuse(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_FIELDS or (self.came > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES):
            self.refusal = HEAD_TOO_LARGE
            raise httptools.HttpParserError("headers too large")  # uvicorn ends the connection by `send_400_response`
        self.is_in_head, self.is_in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.is_in_head, self.is_in_body, self.came = True, False, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(self.refusal)

    def refuse(self, problem: Problem) -> None:
        """Answer and end the connection; only end it where an answer has begun already."""
        if (
            self.cycle is not None
            and self.cycle.response_started
            and (self.is_in_body or not self.cycle.response_complete)
        ):
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(_answer(problem))
            self.transport.close()

    def look(self, now: float) -> None:
        """End what takes too long."""
        if self._is_stalled(now):
            log.info("an answer is not taken: the connection is cut")
            self.transport.abort()
        elif self.is_in_body:
            self._look_at_body(now)
        elif self.is_in_head and self._waits_for_head() and now - self.since > HEAD_SECONDS:
            if self.came:
                self.refuse(HEAD_TOO_SLOW)
            else:
                self.transport.close()

    def _look_at_body(self, now: float) -> None:
        if self.flow.read_paused:
            self.since += LOOK_SECONDS  # it is us who do not take it
        elif now - self.since > BODY_SECONDS + self.came / BODY_PACE:
            self.refuse(BODY_TOO_SLOW)

    def _waits_for_head(self) -> bool:
        """Whether no answer is under way: a first head, or a later one that has begun."""
        return self.cycle is None or (self.cycle.response_complete and self.came > 0)

    def _is_stalled(self, now: float) -> bool:
        waiting = self.transport.get_write_buffer_size()
        if not waiting:
            self.unread = None
            return False
        if self.unread is None or waiting > self.unread[1] or waiting <= self.unread[1] - STALL_BYTES:
            self.unread = (now, waiting)
        return now - self.unread[0] > STALL_SECONDS

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)


class Look:
    """The look at all connections of a loop, as long as there are any."""

    running: "dict[asyncio.AbstractEventLoop, Look]" = {}

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: "set[Any]") -> None:
        self.loop = loop
        self.connections = connections

    @classmethod
    def keep(cls, loop: asyncio.AbstractEventLoop, connections: "set[Any]") -> None:
        if loop not in cls.running:
            look = cls.running[loop] = cls(loop, connections)
            loop.call_later(LOOK_SECONDS, look.look)

    def look(self) -> None:
        now = self.loop.time()
        for connection in [one for one in self.connections if isinstance(one, BoundedProtocol)]:
            connection.look(now)
        if self.connections:
            self.loop.call_later(LOOK_SECONDS, self.look)
        else:
            del self.running[self.loop]


def raise_file_limit() -> None:
    """Let this process open as many files as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _room() -> int:
    """How many connections there may be: by the settings, and by the files that the process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most: int = settings.MAX_CONNECTIONS
    return most if soft == resource.RLIM_INFINITY else min(most, max(10, soft - SPARE_FILES))


def _answer(problem: Problem) -> bytes:
    status, code, detail = problem
    body = jsontext.dumps({"detail": detail, "code": code})
    again = b"retry-after: 1\r\n" if status == 503 else b""
    head = b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n"
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (STATUS_LINE[status], head, again, len(body), body)
