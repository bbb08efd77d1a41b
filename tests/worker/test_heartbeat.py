"""The heartbeat and a server that takes the request and then says nothing."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerUnreachable
from codetether_worker.heartbeat import Heartbeat
from codetether_worker.protocol import Registration

pytestmark = pytest.mark.asyncio


async def test_a_server_that_hangs_is_given_up_while_half_of_the_lease_is_left() -> None:
    heard = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        heard.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        registrar = SimpleNamespace(terms=Registration(lease_seconds=1.0, heartbeat_interval=0.25))
        attempts = SimpleNamespace(heartbeat_claims=list)
        async with ControlPlane(f"http://127.0.0.1:{port}", None, worker_id="ada") as client, asyncio.timeout(20):
            beat = Heartbeat(client, cast(Any, attempts), cast(Any, registrar), stopping=asyncio.Event()).beat()
            with pytest.raises(ServerUnreachable, match="within 0.5 s"):
                await beat
    assert heard.is_set()
