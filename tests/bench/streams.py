"""How many streams one web process holds, what each costs, and how soon an event reaches all of them.

Talks HTTP only. With the server's process id (same machine) it also reads memory, threads and CPU from /proc, and with
the database's address it counts the connections that the idle streams leave open.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import psycopg

IDLE_SECONDS = 10.0
CONNECT_AT_ONCE = 200
DEADLINE = 60.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


class Reader(asyncio.Protocol):
    """One open stream, as cheap as a client can be: it knows when `mark` was last seen."""

    mark = b""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.opened: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.seen_at = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by type
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self.opened.set_result(data)
        if Reader.mark and Reader.mark in data:
            self.seen_at = time.perf_counter()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before its first byte"))


async def open_streams(base_url: str, token: str, path: str, count: int) -> list[Reader]:
    """`count` open streams of `path`; returns when each has had its first bytes."""
    parts = urlsplit(base_url)
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(CONNECT_AT_ONCE)

    async def one() -> Reader:
        async with gate, asyncio.timeout(DEADLINE):
            _, reader = await loop.create_connection(lambda: Reader(request), parts.hostname, parts.port)
            first = await reader.opened
        assert b" 200 " in first[:20], first[:200]
        return reader

    return list(await asyncio.gather(*(one() for _ in range(count))))


def close(readers: Sequence[Reader]) -> None:
    for reader in readers:
        if reader.transport is not None:
            reader.transport.abort()


@dataclass(frozen=True)
class Process:
    """What the system says of the server: bytes, a count, seconds."""

    memory: int
    threads: int
    cpu: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        if not pid:
            return cls(0, 0, 0.0)
        folder = Path(f"/proc/{pid}")
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        resident = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
        return cls(resident, int(fields[17]), (int(fields[11]) + int(fields[12])) / TICKS)


def database_connections(database_url: str) -> int:
    """How many connections the product holds on its database now."""
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'codetether' AND pid <> pg_backend_pid()"""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


class Held:
    """A task that this bench holds as a worker, so that it can make events by the worker protocol."""

    def __init__(self, base_url: str, token: str) -> None:
        self.http = httpx.AsyncClient(base_url=base_url, headers={"authorization": f"Bearer {token}"}, timeout=DEADLINE)
        self.worker_id = f"bench-{os.getpid()}"
        self.task_id = ""
        self.claim_token = ""
        self.sent = 0

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def take(self, task_id: str) -> None:
        """Make a task (or take the given one) and claim it."""
        me = {"worker_id": self.worker_id, "name": self.worker_id, "global_codebase_id": "bench"}
        await self.post("/v1/opencode/workers/register", **me)
        if not task_id:
            made = await self.post("/v1/opencode/tasks", title="bench", prompt="bench", codebase_id="global")
            task_id = made["task"]["id"]
        claimed = await self.post("/v1/worker/tasks/claim", worker_id=self.worker_id, task_id=task_id)
        self.task_id, self.claim_token = task_id, claimed["task"]["claim_token"]

    async def say(self, text: str) -> None:
        """One output event."""
        self.sent += 1
        event = {"seq": self.sent, "kind": "output", "data": {"content": text}}
        await self.post(
            f"/v1/worker/tasks/{self.task_id}/events",
            worker_id=self.worker_id,
            claim_token=self.claim_token,
            events=[event],
        )

    async def end(self) -> None:
        release = {"task_id": self.task_id, "claim_token": self.claim_token, "status": "completed", "result": "done"}
        await self.post("/v1/worker/tasks/release", worker_id=self.worker_id, **release)
        await self.http.aclose()


async def lags(held: Held, readers: Sequence[Reader], events: int) -> list[list[float]]:
    """For each of `events`: seconds from the worker's POST until each reader had it, sorted."""
    found = []
    for number in range(events):
        Reader.mark = f"mark-{number}-".encode()
        for reader in readers:
            reader.seen_at = 0.0
        began = time.perf_counter()
        await held.say(f"mark-{number}-")
        async with asyncio.timeout(DEADLINE):
            while not all(reader.seen_at for reader in readers):  # noqa: ASYNC110 (read in the protocol's callback)
                await asyncio.sleep(0.002)
        found.append(sorted(reader.seen_at - began for reader in readers))
    Reader.mark = b""
    return found


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def measure_idle(
    base_url: str, token: str, *, streams: int, server_pid: int, database_url: str
) -> dict[str, float]:
    """`streams` silent monitor streams: kilobytes each, threads, database connections, CPU, seconds to open."""
    before = Process.of(server_pid)
    began = time.perf_counter()
    readers = await open_streams(base_url, token, "/v1/monitor/stream", streams)
    opened = time.perf_counter() - began
    with_streams = Process.of(server_pid)
    await asyncio.sleep(IDLE_SECONDS)
    later = Process.of(server_pid)
    connections = database_connections(database_url) if database_url else 0
    close(readers)
    return {
        "streams": streams,
        "open_seconds": round(opened, 2),
        "kilobytes_per_stream": round((later.memory - before.memory) / streams / 1024, 1),
        "threads": with_streams.threads,
        "database_connections": connections,
        "idle_cpu_percent": round(100 * (later.cpu - with_streams.cpu) / IDLE_SECONDS, 2),
    }


async def measure_fan_out(
    base_url: str, token: str, *, watchers: int, events: int, server_pid: int = 0, task_id: str = ""
) -> dict[str, float]:
    """One event for `watchers` streams of its task, and for a single one: milliseconds from POST to client."""
    held = Held(base_url, token)
    await held.take(task_id)
    path = f"/v1/opencode/tasks/{held.task_id}/output/stream"
    (only,) = await open_streams(base_url, token, path, 1)
    alone = [one[0] for one in await lags(held, [only], 3 * events)]
    readers = await open_streams(base_url, token, path, watchers)
    before = Process.of(server_pid)
    together = await lags(held, readers, events)
    after = Process.of(server_pid)
    close([only, *readers])
    await held.end()
    firsts, lasts = [one[0] for one in together], [one[-1] for one in together]
    return {
        "watchers": watchers,
        "lag_ms_p50": round(1000 * statistics.median(alone), 2),
        "lag_ms_p99": round(1000 * percentile(alone, 0.99), 2),
        "fan_out_first_ms_p50": round(1000 * statistics.median(firsts), 1),
        "fan_out_last_ms_p50": round(1000 * statistics.median(lasts), 1),
        "fan_out_last_ms_p99": round(1000 * percentile(lasts, 0.99), 1),
        "fan_out_cpu_ms": round(1000 * (after.cpu - before.cpu) / events, 1),
    }


async def measure_streams(
    base_url: str,
    token: str,
    *,
    server_pid: int = 0,
    database_url: str = "",
    idle: int = 5_000,
    watchers: int = 1_000,
    events: int = 20,
    task_id: str = "",
) -> dict[str, float]:
    """All figures of one server. `token` must be an admin's (it works as a worker, too)."""
    idling = await measure_idle(base_url, token, streams=idle, server_pid=server_pid, database_url=database_url)
    fan_out = await measure_fan_out(
        base_url, token, watchers=watchers, events=events, server_pid=server_pid, task_id=task_id
    )
    return idling | fan_out


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.streams", description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("token")
    parser.add_argument("--server-pid", type=int, default=0)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--task-id", default="", help="a pending task to use, where none can be made")
    for name, default in (("idle", 5_000), ("watchers", 1_000), ("events", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    print(json.dumps(asyncio.run(measure_streams(**vars(parser.parse_args()))), indent=2))


if __name__ == "__main__":
    main()
