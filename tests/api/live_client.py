"""A client of event streams that talks ASGI to the application, in the test's own loop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from channels.routing import ProtocolTypeRouter, URLRouter
from starlette.routing import Router

from apps.live.routes import routes
from apps.live.sockets import websocket_urlpatterns
from codetether.edge import Edge

DEADLINE = 10.0

application = Edge(ProtocolTypeRouter({"http": Router(routes=routes), "websocket": URLRouter(websocket_urlpatterns)}))
"""The streams behind the edge, without the rest of the product."""


@dataclass(frozen=True)
class Received:
    """One event as a client sees it."""

    id: str
    event: str
    data: dict[str, Any]


class StreamClient:
    """The answer to one GET: status, headers, and events one by one."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.gone = asyncio.Event()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self._grew = asyncio.Event()
        self._read = 0

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        await self.may_send.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.started.set()
            return
        self.body += message.get("body", b"")
        self._grew.set()
        if not message.get("more_body"):
            self.ended.set()

    async def events(self, count: int) -> list[Received]:
        """The next `count` events."""
        return [await self.event() for _ in range(count)]

    async def event(self) -> Received:
        """The next event, past comments and silence."""
        while True:
            fields = dict(line.split(": ", 1) for line in (await self.block()).split("\n") if line[:1] != ":")
            if "data" in fields:
                return Received(fields.get("id", ""), fields["event"], json.loads(fields["data"]))

    async def block(self) -> str:
        """The next block of lines, whatever it is."""
        async with asyncio.timeout(DEADLINE):
            while (end := self.body.find(b"\n\n", self._read)) < 0:
                assert not self.ended.is_set(), "the stream has ended"
                self._grew.clear()
                await self._grew.wait()
        block = self.body[self._read : end].decode()
        self._read = end + 2
        return block

    async def end(self) -> None:
        """Wait until the server has ended the answer."""
        async with asyncio.timeout(DEADLINE):
            await self.ended.wait()

    @property
    def problem(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@asynccontextmanager
async def get(url: str, token: str = "", method: str = "GET", **headers: str) -> AsyncIterator[StreamClient]:
    """Open `url` (path and query); the client hangs up at the end of the block, and the server must notice."""
    parts = urlsplit(url)
    path = quote(parts.path, safe="/%")
    given = {"host": "testserver", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token:
        given["authorization"] = f"Bearer {token}"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    client = StreamClient()
    serving = asyncio.create_task(application(scope, client.receive, client.send))  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(DEADLINE):
            await client.started.wait()
        yield client
    finally:
        client.gone.set()
        client.may_send.set()
        async with asyncio.timeout(DEADLINE):
            await serving
