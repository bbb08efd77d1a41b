"""What clients of REST meet: task creation."""

import asyncio
import json

from tests.bench.load import connect, drive, post
from tests.bench.rows import waiting
from tests.bench.services import Bench
from tests.bench.stage import Stage
from tests.bench.table import Line

CONNECTIONS = 16
PROMPT = "Add unit tests for the auth module, and say what you have changed. " * 4


def task_create(number: int) -> bytes:
    body = {"title": f"bench {number}", "prompt": PROMPT, "codebase_id": "global"}
    return post("/v1/opencode/tasks", json.dumps(body).encode())


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
