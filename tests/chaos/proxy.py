"""The bad network: one request a connection, to any web process that answers, with seeded misfortunes on the way.

What the workers' protocol and the clients' calls got as answers is noted here as well, as actor `wire`: also what the
sender never heard, because the answer was lost on the way back or the sender died.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.history import History
from tests.chaos.scene import LEASE_SECONDS, Scene
from tests.chaos.wire import Exchange

UPSTREAM_SECONDS = 8.0
"""As balancers do, it gives up on a web process that does not answer."""
HEAD_LIMIT = 65_536
STREAMS_CUT = 0.3

MISFORTUNES = {
    "answer dropped": 0.015,
    "request dropped": 0.01,
    "sent twice": 0.01,
    "sent twice at once": 0.01,
    "delayed": 0.02,
    "answer cut": 0.01,
    "held past the lease": 0.006,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came in, its head already asking to close afterwards."""

    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        return self.head + self.body

    @property
    def is_stream(self) -> bool:
        return self.method == "GET" and "/stream" in self.path


class Proxy:
    """Listens on the scene's port until the scene is done."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._random = random.Random(f"{scene.seed} proxy")
        self._history = History(scene.histories, "proxy")
        self._wire = History(scene.histories, "wire")

    async def run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self._scene.proxy_port, backlog=512)
        async with server:
            while not self._scene.is_done():  # noqa: ASYNC110 (another process says so)
                await asyncio.sleep(0.2)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            sent = await _read(reader)
            if sent.is_stream:
                await self._stream(sent, reader, writer)
            else:
                answer = await self._fate(sent)
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    def _draw(self) -> str:
        """Which misfortune the next request meets; empty for none."""
        drawn = self._random.random()
        if self._scene.is_calm():
            return ""
        for name, share in MISFORTUNES.items():
            if drawn < share:
                self._history.note("misfortune", name)
                return name
            drawn -= share
        return ""

    async def _fate(self, sent: Sent) -> bytes:
        """What of the answer goes back to the sender."""
        deeds: dict[str, Callable[[Sent], Awaitable[bytes]]] = {
            "answer dropped": self._drop_answer,
            "request dropped": self._drop_request,
            "sent twice": self._send_twice,
            "sent twice at once": self._send_both,
            "delayed": self._delay,
            "answer cut": self._cut,
            "held past the lease": self._hold,
        }
        return await deeds.get(self._draw(), self._forward)(sent)

    async def _drop_answer(self, sent: Sent) -> bytes:
        await self._forward(sent)
        return b""

    async def _drop_request(self, sent: Sent) -> bytes:
        return b""

    async def _send_twice(self, sent: Sent) -> bytes:
        await self._forward(sent)
        return await self._forward(sent)

    async def _send_both(self, sent: Sent) -> bytes:
        both = await asyncio.gather(self._forward(sent), self._forward(sent))
        return both[0]

    async def _delay(self, sent: Sent) -> bytes:
        await asyncio.sleep(self._random.uniform(0.05, 1.0))
        return await self._forward(sent)

    async def _cut(self, sent: Sent) -> bytes:
        answer = await self._forward(sent)
        return answer[: self._random.randint(0, max(0, len(answer) - 1))]

    async def _hold(self, sent: Sent) -> bytes:
        """Its sender has given up, or lost its lease, when this arrives."""
        await asyncio.sleep(LEASE_SECONDS * self._random.uniform(1.1, 2.5))
        return await self._forward(sent)

    async def _forward(self, sent: Sent) -> bytes:
        """The whole answer of a web process; empty where there is none."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(UPSTREAM_SECONDS):
                reader, writer = await self._connect()
                try:
                    writer.write(sent.raw)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            answer = b""
        exchange = Exchange(sent.method, sent.path, sent.body, answer)
        for note in exchange.notes():
            self._wire.note(note.op, note.id, note.outcome, **note.facts, began=began)
        return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To one of the web processes that listen; OSError where none does."""
        ports = list(self._scene.web_ports)
        self._random.shuffle(ports)
        for port in ports[:-1]:
            try:
                return await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
            except ConnectionError:
                continue
        return await asyncio.open_connection("127.0.0.1", ports[-1], limit=HEAD_LIMIT)

    async def _stream(self, sent: Sent, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on until one side leaves, or chance cuts it."""
        limit = None
        if not self._scene.is_calm() and self._random.random() < STREAMS_CUT:
            limit = self._random.uniform(0.2, 8.0)
            self._history.note("misfortune", "stream cut")
        upstream, back = await self._connect()
        try:
            back.write(sent.raw)
            pump = asyncio.create_task(_pump(upstream, writer))
            left = asyncio.create_task(reader.read(1))
            await asyncio.wait({pump, left}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            for task in (pump, left):
                task.cancel()
            await asyncio.gather(pump, left, return_exceptions=True)
        finally:
            back.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(65_536):
        target.write(piece)
        await target.drain()


async def _read(reader: asyncio.StreamReader) -> Sent:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *fields = head[:-4].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    length = next((int(line.split(":", 1)[1]) for line in fields if line.lower().startswith("content-length:")), 0)
    kept = [line for line in fields if not line.lower().startswith("connection:")]
    body = await reader.readexactly(length) if length else b""
    return Sent(method, path, "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1"), body)


def main(scene: Scene) -> None:
    """In a process of its own."""
    asyncio.run(Proxy(scene).run())
