"""What clients meet: message/send and task creation."""

import asyncio
import json
import uuid

from tests.bench.load import connect, drive, post
from tests.bench.rows import waiting
from tests.bench.services import Bench
from tests.bench.stage import Stage
from tests.bench.table import Line

CONNECTIONS = 16
PROMPT = "Add unit tests for the auth module, and say what you have changed. " * 4


def message_send(number: int) -> bytes:
    """A message of protocol version 0.3 that does not wait for its task."""
    message = {"kind": "message", "messageId": str(uuid.uuid4()), "role": "user"}
    parts = [{"kind": "text", "text": f"{PROMPT} {number}"}]
    params = {"message": message | {"parts": parts}, "configuration": {"blocking": False}}
    call = {"jsonrpc": "2.0", "id": number, "method": "message/send", "params": params}
    return post("/a2a/jsonrpc", json.dumps(call).encode())


def task_create(number: int) -> bytes:
    body = {"title": f"bench {number}", "prompt": PROMPT, "codebase_id": "global"}
    return post("/v1/opencode/tasks", json.dumps(body).encode())


async def measure_send(stage: Stage, *, seconds: float) -> list[Line]:
    """message/send, durable, beside the SDK's server that keeps nothing."""
    await _shown_to_work(stage)
    ours = await drive(stage.web, message_send, connections=CONNECTIONS, seconds=seconds)
    other = await drive(stage.reference, message_send, connections=CONNECTIONS, seconds=seconds)
    label = "a2a-sdk in memory"
    return [
        Line("message/send, non-blocking, 16 at a time", ours.rate, "/s", other.rate, label),
        Line("message/send, CPU of the web process", ours.cpu_ms, "ms", other.cpu_ms, label, "ratio at or under 1"),
        Line("message/send, p99", ours.p99_ms, "ms", other.p99_ms, label),
    ]


async def _shown_to_work(stage: Stage) -> None:
    """A wrong path would be fast."""
    caller = await connect(stage.web)
    answer = await caller.call(message_send(0))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["result"]["id"], answer
    caller.transport.close()


async def make_task(stage: Stage) -> None:
    """The one that `services.Bench` takes as its pattern."""
    caller = await connect(stage.web)
    answer = await caller.call(task_create(0))
    assert answer.startswith(b"HTTP/1.1 2"), answer
    caller.transport.close()


async def measure_create(bench: Bench, *, seconds: float) -> list[Line]:
    """REST task creation beside pgbench inserting one row of the same shape."""
    stage = bench.stage
    ours = await drive(stage.web, task_create, connections=CONNECTIONS, seconds=seconds)
    one = bench.copies(waiting("bench-insert"))
    plain = await asyncio.to_thread(stage.pgbench, one, clients=CONNECTIONS, seconds=seconds)
    return [
        Line("task create over REST, 16 at a time", ours.rate, "/s", plain, "pgbench insert"),
        Line("task create, CPU of the web process", ours.cpu_ms, "ms", aim="at or under 0.8 ms"),
        Line("task create, p99", ours.p99_ms, "ms"),
    ]
