"""The life of a task over HTTP: made, told of, claimed, finished; one at a time beside an idle worker, and many."""

import asyncio
import json
import time
from typing import Any

from tests.bench.load import Caller, connect, post
from tests.bench.rows import waiting
from tests.bench.services import BARE_CLAIM, Bench
from tests.bench.stage import TOKEN, Served, Stage
from tests.bench.streams import Process, percentile
from tests.bench.table import Line

WORKERS = 8
TASK = {"title": "bench", "prompt": "Add unit tests for the auth module, and say what you have changed."}
DEADLINE = 30.0

BARE_FINISH = """
UPDATE tasks_task SET state = 'completed', completed_at = clock_timestamp(), lease_expires_at = NULL, result = 'done'
WHERE id = :id::uuid AND state = 'running';
"""


class Worker:
    """A worker as cheap as it can be: one connection for what it asks."""

    def __init__(self, caller: Caller, worker_id: str) -> None:
        self.caller, self.worker_id = caller, worker_id

    @classmethod
    async def registered(cls, web: Served, worker_id: str, **said: Any) -> "Worker":
        worker = cls(await connect(web), worker_id)
        await worker.call("/v1/opencode/workers/register", name=worker_id, **said)
        return worker

    async def call(self, path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.caller.call(post(path, json.dumps({"worker_id": self.worker_id, **body}).encode()))
        head, _, found = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 2"), answer[:1000]
        value: dict[str, Any] = json.loads(found)
        return value

    async def claim(self) -> dict[str, Any]:
        """The task that it has now; there must be one."""
        task: dict[str, Any] = (await self.call("/v1/worker/tasks/claim"))["task"]
        assert task, "nothing to claim"
        return task

    async def finish(self, task: dict[str, Any]) -> None:
        shown = {"task_id": task["id"], "claim_token": task["claim_token"]}
        await self.call("/v1/worker/tasks/release", **shown, status="completed", result="done")

    def close(self) -> None:
        self.caller.transport.close()


class Listener(asyncio.Protocol):
    """A worker's open stream: when it was told of a task."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.connected = asyncio.Event()
        self.told: asyncio.Queue[float] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if b"event: connected" in data:
            self.connected.set()
        for _ in range(data.count(b"event: task_available")):
            self.told.put_nowait(now)


async def measure_idle_cycle(stage: Stage, *, samples: int) -> list[Line]:
    """One task at a time for an idle worker with an open stream: milliseconds from sending its creation until the
    stream has told of it, until the worker has the answer to its claim, and until it has that to its finish."""
    listener = await _listening(stage.web, "listener")
    worker = Worker(await connect(stage.web), "listener")
    client = Worker(await connect(stage.web), "client")
    told, claimed, finished = [], [], []
    for _ in range(samples):
        began = time.perf_counter()
        creating = asyncio.create_task(client.call("/v1/opencode/tasks", **TASK, codebase_id="bench"))
        told.append(await asyncio.wait_for(listener.told.get(), DEADLINE) - began)
        task = await worker.claim()
        claimed.append(time.perf_counter() - began)
        await worker.finish(task)
        finished.append(time.perf_counter() - began)
        await creating
    listener.transport.abort()
    worker.close()
    client.close()
    return [
        _milliseconds("create to worker notified", told, 0.5, "under 5 ms, idle machine"),
        _milliseconds("create to worker notified", told, 0.99),
        _milliseconds("create, notify, claim: idle worker has its task", claimed, 0.5, "under 10 ms"),
        _milliseconds("create, notify, claim: idle worker has its task", claimed, 0.99),
        _milliseconds("create, notify, claim, finish", finished, 0.5),
    ]


def _milliseconds(what: str, took: list[float], share: float, aim: str = "") -> Line:
    return Line(f"{what}, p{share * 100:.0f}", 1000 * percentile(took, share), "ms", aim=aim)


async def _listening(web: Served, worker_id: str) -> Listener:
    """The open stream of a worker with a codebase of its own, so that nothing else is waiting for it."""
    worker = await Worker.registered(web, worker_id)
    await worker.call("/v1/opencode/codebases", name="bench", path="/bench", codebase_id="bench")
    worker.close()
    head = f"GET /v1/worker/tasks/stream?worker_id={worker_id} HTTP/1.1\r\nHost: bench\r\n"
    request = f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(request), "127.0.0.1", web.port)
    await asyncio.wait_for(listener.connected.wait(), DEADLINE)
    return listener


async def measure_cycles(bench: Bench, *, cycles: int) -> list[Line]:
    """create → claim → finish by WORKERS at once, each with requests of its own, beside the bare statements."""
    web, each = bench.stage.web, max(1, cycles // WORKERS)
    workers = [await Worker.registered(web, f"cycle-{number}", global_codebase_id="bench") for number in range(WORKERS)]

    async def live(worker: Worker) -> None:
        for _ in range(each):
            await worker.call("/v1/opencode/tasks", **TASK, codebase_id="global")
            await worker.finish(await worker.claim())

    await asyncio.gather(*(live(worker) for worker in workers))  # until everything is prepared
    before, began = Process.of(web.pid), time.perf_counter()
    await asyncio.gather(*(live(worker) for worker in workers))
    took, cpu = time.perf_counter() - began, Process.of(web.pid).cpu - before.cpu
    for worker in workers:
        worker.close()
    bare = await asyncio.to_thread(bench.stage.pgbench, bare_cycle(bench), clients=WORKERS, each=each)
    done = WORKERS * each
    return [
        Line(f"create, claim, finish over HTTP, {WORKERS} workers", done / took, "cycles/s", bare, "pgbench, bare"),
        Line("create, claim, finish: CPU of the web process", 1000 * cpu / done, "ms"),
    ]


def bare_cycle(bench: Bench) -> str:
    """Three statements, each committed: insert a task, take the best of the queue, end it."""
    queue = bench.fill(10 * WORKERS)
    create = bench.copies(waiting(queue))
    claim = BARE_CLAIM.format(workspace=bench.workspace, queue=queue, limit=1).rstrip().rstrip(";")
    return f"{create};{claim} \\gset\n{BARE_FINISH}"
