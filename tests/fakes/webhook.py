"""A receiver of HTTP calls on a loopback port, on the test's own loop: it keeps what came, and answers as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
Answer = Callable[["Call", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """`answers` are used up in order (a status, or a function that writes); then it is 200 for ever."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    answers: list[int | Answer] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set["asyncio.Task[None] | None"] = field(default_factory=set)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def got(self, number: int, seconds: float = 10) -> list[Call]:
        """The calls, as soon as there are so many."""
        async with asyncio.timeout(seconds):
            while len(self.calls) < number:
                self._news.clear()
                await self._news.wait()
        return self.calls

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request after the other."""
        self.connections += 1
        self._serving.add(asyncio.current_task())
        try:
            while head := await _head(reader):
                call = await _call(head, reader)
                self.calls.append(call)
                self._news.set()
                await self._answer(call, writer)
        except ConnectionError:
            pass  # the caller has had enough
        finally:
            writer.close()
            self._serving.discard(asyncio.current_task())

    async def close(self) -> None:
        """End the connections that are still open."""
        serving = list(filter(None, self._serving))
        for one in serving:
            one.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, int):
            writer.write(OK.replace(b"200 OK", b"%d Told" % answer))
            await writer.drain()
        else:
            await answer(call, writer)


async def _head(reader: asyncio.StreamReader) -> list[str]:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return []
    return raw.decode().strip().split("\r\n")


async def _call(head: list[str], reader: asyncio.StreamReader) -> Call:
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(method, path, headers, body)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver for as long as the block runs; its connections end with it."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()
        server.close_clients()
        await server.wait_closed()
