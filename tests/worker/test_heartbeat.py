"""The heartbeat and a server that takes the request and then says nothing."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerUnreachable
from codetether_worker.heartbeat import Heartbeat
from codetether_worker.protocol import HeartbeatReply, Registration

pytestmark = pytest.mark.asyncio

NOTHING_NEW = HeartbeatReply.parse({})
DRAIN = HeartbeatReply.parse({"drain": True})


def heartbeat(client: object, attempts: object, registrar: object, returned: asyncio.Event) -> Heartbeat:
    parts = (cast(Any, part) for part in (client, attempts, registrar))
    return Heartbeat(*parts, stopping=asyncio.Event(), on_return=returned.set, ending=lambda: False)


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
            beat = heartbeat(client, attempts, registrar, asyncio.Event()).beat()
            with pytest.raises(ServerUnreachable, match="within 0.5 s"):
                await beat
    assert heard.is_set()


async def test_work_is_asked_for_when_the_server_is_back_or_drains_no_more_and_not_at_every_beat() -> None:
    answers: list[HeartbeatReply | ServerUnreachable] = [
        NOTHING_NEW, ServerUnreachable("the line is cut"), NOTHING_NEW, DRAIN, NOTHING_NEW, NOTHING_NEW,
    ]  # fmt: skip
    returns: list[int] = []

    class Client:
        async def heartbeat(self, *_: Any, **__: Any) -> HeartbeatReply:
            answer = answers.pop(0)
            if not answers:
                stopping.set()
            if isinstance(answer, ServerUnreachable):
                raise answer
            return answer

    stopping = asyncio.Event()
    registrar = SimpleNamespace(terms=Registration(lease_seconds=1.0, heartbeat_interval=0.01))
    attempts = SimpleNamespace(heartbeat_claims=list, apply=lambda *_, **__: None)
    parts = (cast(Any, part) for part in (Client(), attempts, registrar))
    beating = Heartbeat(*parts, stopping=stopping, on_return=lambda: returns.append(len(answers)), ending=lambda: False)
    await asyncio.wait_for(beating.run(), 20)
    assert returns == [3, 1]
