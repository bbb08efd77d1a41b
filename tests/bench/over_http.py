"""What clients meet: message/send, task creation, and how soon a worker hears of a new task."""

import asyncio
import json
import time
import uuid

from tests.bench.load import Caller, connect, drive, post
from tests.bench.stage import TOKEN, Served, Stage
from tests.bench.streams import percentile
from tests.bench.table import Line

CONNECTIONS = 16
PROMPT = "Add unit tests for the auth module, and say what you have changed. " * 4

COPY_OF_TASKS = """
CREATE TABLE IF NOT EXISTS bench_insert (LIKE tasks_task INCLUDING ALL)"""
INSERT_ONE = f"""INSERT INTO bench_insert (id, workspace_id, queue, title, prompt, agent_type, model, priority, rank,
    requires, target_agent, metadata, created_by, context_id, session_id, state, last_seq, last_steering_seq, heard_seq,
    position, attempt, max_attempts, declined_by, worker_id, claim_seq, client_seq, result, error, error_code, usage)
SELECT gen_random_uuid(), '{uuid.UUID(int=1)}', 'global', 'bench', '{PROMPT}', 'build', '', 0, 0, '{{}}', '', '{{}}',
    'bench', '', '', 'pending', 1, 0, 0, 0, 0, 3, '{{}}', '', 0, 0, '', '', '', '{{}}';
"""


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


async def measure_create(stage: Stage, *, seconds: float) -> list[Line]:
    """REST task creation beside pgbench inserting one row of the same shape."""
    ours = await drive(stage.web, task_create, connections=CONNECTIONS, seconds=seconds)
    stage.pgbench(COPY_OF_TASKS + ";\n" + INSERT_ONE, clients=1, seconds=1)
    plain = await asyncio.to_thread(stage.pgbench, INSERT_ONE, clients=CONNECTIONS, seconds=seconds)
    return [
        Line("task create over REST, 16 at a time", ours.rate, "/s", plain, "pgbench insert"),
        Line("task create, CPU of the web process", ours.cpu_ms, "ms", aim="at or under 0.8 ms"),
        Line("task create, p99", ours.p99_ms, "ms"),
    ]


class Listener(asyncio.Protocol):
    """A worker's open stream: when each task was told of, by its id."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.connected = asyncio.Event()
        self.told: dict[bytes, asyncio.Future[float]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if b"event: connected" in data:
            self.connected.set()
        for part in data.split(b'"task_id":"')[1:]:
            self.heard(part[:36]).set_result(now)

    def heard(self, task_id: bytes) -> asyncio.Future[float]:
        """When the task was told of: it may be before or after the answer to its creation."""
        return self.told.setdefault(task_id, asyncio.get_running_loop().create_future())


async def measure_notice(stage: Stage, *, samples: int) -> list[Line]:
    """Milliseconds from sending a creation until the worker's stream has told of the task, one at a time."""
    caller, listener = await connect(stage.web), await _listening_worker(stage.web)
    took = [await _one_notice(caller, listener, number) for number in range(samples)]
    listener.transport.abort()
    caller.transport.close()
    return [
        Line("create to worker notified, p50", 1000 * percentile(took, 0.5), "ms", aim="under 5 ms, idle machine"),
        Line("create to worker notified, p99", 1000 * percentile(took, 0.99), "ms"),
    ]


async def _listening_worker(web: Served) -> Listener:
    """A worker of a codebase of its own, so that nothing else is waiting for it."""
    caller = await connect(web)
    worker = {"worker_id": "listener", "name": "listener"}
    await caller.call(post("/v1/opencode/workers/register", json.dumps(worker).encode()))
    made = {"name": "bench", "path": "/bench", "worker_id": "listener", "codebase_id": "bench"}
    await caller.call(post("/v1/opencode/codebases", json.dumps(made).encode()))
    caller.transport.close()
    path = "/v1/worker/tasks/stream?worker_id=listener"
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(request), "127.0.0.1", web.port)
    await asyncio.wait_for(listener.connected.wait(), 10)
    return listener


async def _one_notice(caller: Caller, listener: Listener, number: int) -> float:
    body = {"title": f"notice {number}", "prompt": "hello", "codebase_id": "bench"}
    request = post("/v1/opencode/tasks", json.dumps(body).encode())
    began = time.perf_counter()
    answer = await caller.call(request)
    task_id = json.loads(answer.partition(b"\r\n\r\n")[2])["task"]["id"].encode()
    return await asyncio.wait_for(listener.heard(task_id), 10) - began
