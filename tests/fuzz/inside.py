"""Requests put straight to the application, in the loop of the test: no socket, no HTTP client that mends them."""

import asyncio
from typing import Any
from urllib.parse import unquote

from codetether.asgi import application
from tests.fuzz.calls import Sent
from tests.fuzz.verdict import Answer

PATIENCE = 10.0
SILENCE = 0.3
"""Seconds that a stream may say nothing until we leave."""


class _Exchange:
    """One request's ASGI channel. A stream is left after its first event, or when it has been silent for a while."""

    def __init__(self, sent: Sent) -> None:
        self.bodies = [sent.body]
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.leaving = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if self.bodies:
            return {"type": "http.request", "body": self.bodies.pop(), "more_body": False}
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            asyncio.get_running_loop().call_later(SILENCE, self.leaving.set)
            return
        self.body += message.get("body", b"")
        if b"\ndata: " in self.body or not message.get("more_body"):
            self.leaving.set()


async def ask(sent: Sent) -> Answer:
    """The answer; TimeoutError where there is none in time."""
    path, _, query = sent.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "method": sent.verb,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(sent.headers),
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
    }
    exchange = _Exchange(sent)
    async with asyncio.timeout(PATIENCE):
        await application(scope, exchange.receive, exchange.send)  # type: ignore[arg-type]
    return Answer(exchange.status, exchange.headers, exchange.body)
