"""The long run: many thousands of requests by all three bindings to real processes."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import SearchStrategy

from tests.api.a2a.grpc.caller import GrpcCaller
from tests.api.a2a.grpc.protos import cases as grpc_cases
from tests.fuzz import outside
from tests.fuzz.by_grpc import FINE, code_of
from tests.fuzz.calls import Known, rest_calls, rpc_calls
from tests.fuzz.readings import MEBIBYTE, Reading, read, read_settled
from tests.fuzz.stage import TOKEN, Stage
from tests.fuzz.things import Maker
from tests.fuzz.verdict import UnfitAnswer, outcome_of

ROUNDS, AT_ONCE = 10, 16
GROWTH_LIMIT = 16 * MEBIBYTE
"""Bytes by which a process may grow in the second half of the rounds."""
CONNECTIONS_LIMIT = 2 * 8 + 2
"""Each process has eight threads for the database; two connections may be on their way in or out."""
SHOWN = 1_500

Outcomes = Counter[tuple[str, str]]
"""By (binding, outcome)."""
Try = Callable[[Any], Awaitable[str]]


class Run:
    """One long run against the stage."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.number = number
        self.outcomes: Outcomes = Counter()
        self.unfit: list[str] = []
        self.slowest = 0.0

    async def round(self, known: Known, count: int) -> None:
        """`count` cases by each binding, several at a time, and every lie about HTTP."""
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.stage.grpc_port}") as channel:
            caller = GrpcCaller(channel, TOKEN)
            texts = [*known.tasks, *known.contexts, *known.configs]
            await self._all("JSON-RPC", self._collected(rpc_calls(known), count), self._by_http)
            await self._all("REST", self._collected(rest_calls(known), count), self._by_http)
            await self._all("gRPC", self._collected(grpc_cases(texts), count), lambda case: _by_grpc(caller, case))
        await self._all("HTTP", list(outside.LIES), lambda name: outside.lie(self.stage.web_port, name, TOKEN))

    async def _all(self, binding: str, cases: list[Any], attempt: Try) -> None:
        waiting = iter(cases)

        async def one_after_the_other() -> None:
            for case in waiting:
                await self._one(binding, case, attempt)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(one_after_the_other())

    async def _one(self, binding: str, case: Any, attempt: Try) -> None:
        began = time.monotonic()
        try:
            outcome = await attempt(case)
        except (AssertionError, ValueError, LookupError, TimeoutError, OSError) as error:
            outcome = f"UNFIT {type(error).__name__}"
            self.unfit.append(f"{error or type(error).__name__}: {str(case)[:SHOWN]}")
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.outcomes[binding, outcome] += 1

    async def _by_http(self, sent: Any) -> str:
        return outcome_of(sent, await outside.ask(self.stage.web_port, sent))

    def _collected(self, strategy: SearchStrategy[Any], count: int) -> list[Any]:
        """Cases made by hypothesis, each round others; the run's seed makes them again."""
        found: list[Any] = []
        self.number += 1
        only_made = hypothesis_settings(
            max_examples=count, phases=[Phase.generate], deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        hypothesis_seed(self.number)(only_made(given(strategy)(lambda case: found.append(case))))()
        return found


async def _by_grpc(caller: GrpcCaller, case: Any) -> str:
    code = await code_of(caller, case)
    if code not in FINE:
        raise UnfitAnswer(f"gRPC status {code.name}")
    return code.name


def judged(run: Run, readings: list[Reading]) -> list[str]:
    """What is wrong after the run."""
    first, half, last = readings[0], readings[len(readings) // 2], readings[-1]
    wrong = [f"{len(run.unfit)} unfit answers"] if run.unfit else []
    for name, before, after in (("web", half.web, last.web), ("grpc", half.grpc, last.grpc)):
        if after[0] - before[0] > GROWTH_LIMIT:
            wrong.append(f"{name} has grown by {(after[0] - before[0]) / MEBIBYTE:.1f} MiB")
    if last.web[1] > first.web[1] + CONNECTIONS_LIMIT or last.grpc[1] > first.grpc[1] + CONNECTIONS_LIMIT:
        wrong.append("files have been left open")
    if last.streams:
        wrong.append(f"{last.streams} streams have been left open")
    if last.connections > CONNECTIONS_LIMIT:
        wrong.append(f"{last.connections} connections to the database")
    return wrong + [f"logged: {line}" for line in run.stage.faults[:20]]


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def run(stage: Stage, *, cases: int, seed: int) -> int:
    """Make `cases` requests in rounds, and tell what became of them; how many things are wrong."""
    began = time.monotonic()
    tell(f"seed {seed}")
    maker, fuzz = Maker(stage), Run(stage, seed * 1_000)
    readings = [read(stage)]
    files = max(readings[0].web[1], readings[0].grpc[1]) + CONNECTIONS_LIMIT
    tell("before:", readings[0].told())
    for number in range(ROUNDS):
        asyncio.run(fuzz.round(maker.known(), -(-cases // (3 * ROUNDS))))
        readings.append(read_settled(stage, files))
        tell(f"round {number + 1} ({time.monotonic() - began:.0f} s):", readings[-1].told())
    for (binding, outcome), count in sorted(fuzz.outcomes.items(), key=lambda item: (item[0][0], -item[1])):
        tell(f"{binding:10}{outcome:40}{count:>8}")
    tell(f"{fuzz.outcomes.total()} requests in {time.monotonic() - began:.0f} s; the slowest took {fuzz.slowest:.1f} s")
    wrong = judged(fuzz, readings)
    for line in (*fuzz.unfit[:50], *wrong):
        tell("WRONG", line)
    return len(wrong)
