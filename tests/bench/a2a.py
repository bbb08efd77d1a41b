"""A2A beside the SDK's own server: sending, looking, streaming, and lists of many tasks.

Ours is durable; the first reference keeps everything in memory, the second in the SDK's own database store, on the
same PostgreSQL.
"""

import asyncio
import json
import time
import uuid
from typing import Any

from tests.bench.load import Caller, connect, drive, post
from tests.bench.services import Bench
from tests.bench.stage import Served, Stage, durable_reference
from tests.bench.streams import Process, percentile
from tests.bench.table import Line

CONNECTIONS = 16
PATH = "/a2a/jsonrpc"
IN_MEMORY, IN_DATABASE = "a2a-sdk in memory", "a2a-sdk, its database store"
PROMPT = "Add unit tests for the auth module, and say what you have changed. " * 4
LISTED = {"moved_at": "t.created_at - n * interval '1 second'"}
Json = dict[str, Any]


def call(method: str, params: Json, number: int = 0) -> bytes:
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return post(PATH, json.dumps(body).encode())


def message_send(number: int, method: str = "message/send") -> bytes:
    """A message of protocol version 0.3 that does not wait for its task."""
    message = {"kind": "message", "messageId": str(uuid.uuid4()), "role": "user"}
    parts = [{"kind": "text", "text": f"{PROMPT} {number}"}]
    params = {"message": message | {"parts": parts}, "configuration": {"blocking": False}}
    return call(method, params, number)


def message_stream(number: int) -> bytes:
    return message_send(number, "message/stream")


async def measure(bench: Bench, *, seconds: float, listed: int) -> list[Line]:
    """What the issue of A2A asks for, in its order."""
    stage = bench.stage
    ours, other = await shown_to_work(stage.web), await shown_to_work(stage.reference)
    await asyncio.to_thread(bench.complete, ours)
    lines = await _sending(stage, seconds)
    lines += await _looking(stage, ours, other, seconds)
    lines += await _streaming(stage, calls=max(10, int(200 * seconds)))
    return lines + await _listing(bench, listed)


async def shown_to_work(server: Served) -> str:
    """The id of a task that the server has made: a wrong path would be fast."""
    caller = await connect(server)
    answer = _json(await caller.call(message_send(0)))
    caller.transport.close()
    found: str = answer["result"]["id"]
    return found


def _json(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def _sending(stage: Stage, seconds: float) -> list[Line]:
    ours = await drive(stage.web, message_send, connections=CONNECTIONS, seconds=seconds)
    other = await drive(stage.reference, message_send, connections=CONNECTIONS, seconds=seconds)
    with durable_reference(stage) as durable:
        await shown_to_work(durable)
        slow = await drive(durable, message_send, connections=CONNECTIONS, seconds=seconds)
    return [
        Line("message/send, non-blocking, 16 at a time", ours.rate, "/s", other.rate, IN_MEMORY),
        Line("message/send, CPU of the web process", ours.cpu_ms, "ms", other.cpu_ms, IN_MEMORY, "ratio at or under 1"),
        Line("message/send, p99", ours.p99_ms, "ms", other.p99_ms, IN_MEMORY),
        Line("message/send, 16 at a time", ours.rate, "/s", slow.rate, IN_DATABASE, "ratio at or above 5"),
    ]


async def _looking(stage: Stage, ours: str, other: str, seconds: float) -> list[Line]:
    """GetTask, again and again of one task that has ended, as the reference's have."""
    mine = await drive(
        stage.web, lambda n: call("tasks/get", {"id": ours}, n), connections=CONNECTIONS, seconds=seconds
    )
    theirs = await drive(
        stage.reference, lambda n: call("tasks/get", {"id": other}, n), connections=CONNECTIONS, seconds=seconds
    )
    return [
        Line("tasks/get, 16 at a time", mine.rate, "/s", theirs.rate, IN_MEMORY),
        Line("tasks/get, CPU of the web process", mine.cpu_ms, "ms", theirs.cpu_ms, IN_MEMORY, "ratio at or under 1"),
    ]


async def _streaming(stage: Stage, calls: int) -> list[Line]:
    """message/stream up to its first event, each on a connection of its own."""
    ours, other = await _streams(stage.web, calls), await _streams(stage.reference, calls)
    return [Line("message/stream to the first event, CPU", ours, "ms", other, IN_MEMORY, "ratio at or under 1")]


async def _streams(server: Served, calls: int) -> float:
    """CPU milliseconds of the server for one stream."""
    numbers = iter(range(calls))

    async def keep_opening() -> None:
        for number in numbers:
            await _first_event(server, number)

    before = Process.of(server.pid)
    await asyncio.gather(*(keep_opening() for _ in range(CONNECTIONS)))
    return 1000 * (Process.of(server.pid).cpu - before.cpu) / calls


async def _first_event(server: Served, number: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(message_stream(number))
    received = b""
    while b"data: {" not in received:
        more = await reader.read(65_536)
        assert more, received
        received += more
    assert b'"result":' in received, received
    writer.close()


async def _listing(bench: Bench, listed: int) -> list[Line]:
    """ListTasks in a workspace with many tasks: the first page of 50, as one client sees it."""
    await asyncio.to_thread(bench.finish, listed, LISTED)
    caller = await connect(bench.stage.web)
    took = [await _timed(caller) for _ in range(30)]
    caller.transport.close()
    await asyncio.to_thread(bench.empty)
    what = f"ListTasks, 50 of {listed:,}"
    return [
        Line(f"{what}, p50", 1000 * percentile(took, 0.5), "ms", aim="under 20 ms"),
        Line(f"{what}, p99", 1000 * percentile(took, 0.99), "ms"),
    ]


async def _timed(caller: Caller) -> float:
    began = time.perf_counter()
    answer = _json(await caller.call(call("ListTasks", {"pageSize": 50})))
    took = time.perf_counter() - began
    assert len(answer["result"]["tasks"]) == 50, answer
    return took
