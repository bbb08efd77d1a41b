"""What a client may send before anybody looks at it, and how slowly: real sockets, the product's own protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.server import ServerState

from codetether import connections
from codetether.connections import BoundedProtocol
from codetether.web import FRAME_BYTES, server_config

SECONDS = 5.0
HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"
LARGE_ANSWER = b"x" * 8_000_000


class Site:
    """An application behind our protocol: it reads the whole body, then says how much that was."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.lost = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._listen(receive, send)
            return
        size = 0
        while True:
            message = await receive()
            self.heard.append(message["type"])
            if message["type"] == "http.disconnect":
                return
            size += len(message["body"])
            if not message["more_body"]:
                break
        body = LARGE_ANSWER if scope["path"] == "/large" else str(size).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def _listen(self, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while "websocket.disconnect" not in self.heard:
            self.heard.append((await receive())["type"])


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def says(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)

    async def hears_all(self) -> bytes:
        """Everything until the server ends the connection."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.read()

    async def hears_problem(self) -> tuple[int, str]:
        head, _, body = (await self.hears_all()).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)["code"]

    async def hears_answer(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split()[0])
            return await self.reader.readexactly(size)


@asynccontextmanager
async def site(app: Site | None = None) -> AsyncIterator[Any]:
    """Gives a function that connects."""
    served = app or Site()
    config = server_config(served, log_level="critical")
    config.load()

    class Noted(BoundedProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            served.lost.set()

    state, loop = ServerState(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Noted(config, state, {}, loop), "127.0.0.1", 0)
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection(*server.sockets[0].getsockname())))
        return clients[-1]

    try:
        yield connect
    finally:
        for client in clients:
            client.writer.close()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "STALL_SECONDS"):
        monkeypatch.setattr(connections, name, 0.3)
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)


@pytest.mark.asyncio
async def test_requests_within_the_bounds_are_served_one_after_the_other() -> None:
    async with site() as connect:
        client = await connect()
        for size in (0, 200_000):
            client.says(HEAD, b"content-length: %d\r\n\r\n" % size, b"x" * size)
            assert await client.hears_answer() == str(size).encode()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 70_000,
        b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
    ids=["endless address", "endless header", "endless headers", "many headers", "large header"],
)
@pytest.mark.asyncio
async def test_too_large_a_head_is_refused_and_nobody_hears_of_it(head: bytes) -> None:
    app = Site()
    async with site(app) as connect:
        client = await connect()
        client.says(head)
        assert await client.hears_problem() == (431, "headers_too_large")
    assert not app.heard


@pytest.mark.asyncio
async def test_what_is_no_http_is_refused() -> None:
    async with site() as connect:
        client = await connect()
        client.says(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert await client.hears_problem() == (400, "malformed")


@pytest.mark.asyncio
async def test_headers_that_do_not_end_are_not_waited_for(hasty: None) -> None:
    async with site() as connect:
        client = await connect()
        client.says(HEAD)
        assert await client.hears_problem() == (408, "request_timeout")


@pytest.mark.asyncio
async def test_the_headers_of_a_later_request_are_not_waited_for_either(hasty: None) -> None:
    async with site() as connect:
        client = await connect()
        client.says(HEAD, b"content-length: 0\r\n\r\n")
        await client.hears_answer()
        client.says(HEAD)
        assert await client.hears_problem() == (408, "request_timeout")


@pytest.mark.asyncio
async def test_who_says_nothing_is_not_waited_for(hasty: None) -> None:
    async with site() as connect:
        assert await (await connect()).hears_all() == b""


@pytest.mark.asyncio
async def test_a_body_that_does_not_come_is_not_waited_for(hasty: None) -> None:
    app = Site()
    async with site(app) as connect:
        client = await connect()
        client.says(HEAD, b"content-length: 100\r\n\r\n", b"x")
        assert await client.hears_problem() == (408, "request_timeout")
    assert app.heard[-1] == "http.disconnect"


@pytest.mark.asyncio
async def test_a_body_that_comes_at_its_pace_may_take_longer(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_PACE", 10)
    async with site() as connect:
        client = await connect()
        client.says(HEAD, b"content-length: 101\r\n\r\n", b"x" * 100)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await client.reader.read(1)
        client.says(b"x")
        assert await client.hears_answer() == b"101"


@pytest.mark.asyncio
async def test_an_answer_that_nobody_takes_is_given_up(hasty: None) -> None:
    app = Site()
    async with site(app) as connect:
        client = await connect()
        client.writer.transport.pause_reading()
        client.says(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            await app.lost.wait()


@pytest.mark.asyncio
async def test_there_are_only_so_many_connections(settings: Any) -> None:
    settings.MAX_CONNECTIONS = 1
    async with site() as connect:
        first = await connect()
        first.says(HEAD, b"content-length: 0\r\n\r\n")
        await first.hears_answer()
        assert await (await connect()).hears_problem() == (503, "too_many_connections")
        first.says(HEAD, b"content-length: 0\r\n\r\n")
        assert await first.hears_answer() == b"0"


UPGRADE = b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
KEY = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
CLOSE, TOO_BIG = 0x88, 1009


@pytest.mark.asyncio
async def test_too_large_a_frame_closes_a_websocket_unread() -> None:
    app = Site()
    async with site(app) as connect:
        client = await connect()
        client.says(UPGRADE, KEY)
        async with asyncio.timeout(SECONDS):
            assert b" 101 " in await client.reader.readuntil(b"\r\n\r\n")
        client.says(b"\x82\xff" + (FRAME_BYTES + 1).to_bytes(8) + b"mask")
        heard = await client.hears_all()
    assert (heard[0], int.from_bytes(heard[2:4])) == (CLOSE, TOO_BIG)
    assert "websocket.receive" not in app.heard


@pytest.mark.asyncio
async def test_only_trusted_proxies_say_who_calls(settings: Any) -> None:
    told: list[str] = []

    class Telling(Site):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            told.append(scope["client"][0])
            await super().__call__(scope, receive, send)

    for trusted in (["127.0.0.1"], ["192.0.2.0/24"]):
        settings.TRUSTED_PROXIES = trusted
        async with site(Telling()) as connect:
            client = await connect()
            client.says(HEAD, b"x-forwarded-for: 198.51.100.7\r\ncontent-length: 0\r\n\r\n")
            await client.hears_answer()
    assert told == ["198.51.100.7", "127.0.0.1"]
