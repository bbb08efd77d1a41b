"""A load generator that costs little itself: keep-alive connections, each with one request under way."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from tests.bench.stage import TOKEN, Served
from tests.bench.streams import Process, percentile

SLOWEST = 50
"""So many times the seconds are waited for the first answer."""
WARM_UP = 0.15
"""Share of a run's time that is driven before it is measured."""


@dataclass(frozen=True)
class Driven:
    """What a run showed: requests per second, CPU milliseconds of the server per request, latencies in milliseconds."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class Caller(asyncio.Protocol):
    """One connection; `call` sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by type

    async def call(self, request: bytes) -> bytes:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        (length,) = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if len(rest) >= int(length) and self._answer is not None:
            answer, self._received = bytes(self._received), bytearray()
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed in the middle of an answer"))


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON as the bench's admin."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def connect(server: Served) -> Caller:
    _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", server.port)
    return caller


async def drive(server: Served, request: Callable[[int], bytes], *, connections: int, seconds: float) -> Driven:
    """Keep `connections` requests under way for `seconds`; `request(n)` makes the nth. All must succeed."""
    callers = [await connect(server) for _ in range(connections)]
    finished: list[tuple[float, float]] = []
    ended = False

    async def keep_calling(caller: Caller, number: int) -> None:
        while not ended:
            began = time.perf_counter()
            answer = await caller.call(request(number))
            assert answer.startswith(b"HTTP/1.1 2"), answer[:1000]
            assert b'"error":{' not in answer, answer[:1000]
            finished.append((time.perf_counter(), time.perf_counter() - began))
            number += connections

    calling = [asyncio.create_task(keep_calling(caller, number)) for number, caller in enumerate(callers)]
    await asyncio.sleep(seconds * WARM_UP)
    before, since = Process.of(server.pid), time.perf_counter()
    for _ in range(SLOWEST):
        await asyncio.sleep(seconds)
        if finished and finished[-1][0] > since:
            break
    after, until = Process.of(server.pid), time.perf_counter()
    ended = True
    await asyncio.gather(*calling)
    for caller in callers:
        caller.transport.close()
    return _driven([took for at, took in finished if since < at <= until], until - since, after.cpu - before.cpu)


def _driven(took: Sequence[float], seconds: float, cpu: float) -> Driven:
    if not took:
        raise RuntimeError(f"not one answer within {seconds:.1f} s")
    return Driven(
        rate=len(took) / seconds,
        cpu_ms=1000 * cpu / len(took),
        p50_ms=1000 * percentile(took, 0.5),
        p99_ms=1000 * percentile(took, 0.99),
    )
