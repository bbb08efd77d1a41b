"""Whatever is sent by gRPC is answered, or refused as the caller's fault: nothing breaks, hangs or stays behind.

`CODETETHER_FUZZ_CASES` sets how many calls are made.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from apps.core.wakeups import hub
from tests.api.a2a.client import Hand
from tests.api.a2a.grpc.caller import GrpcCaller
from tests.api.a2a.grpc.protos import Case, cases
from tests.fuzz.by_grpc import FINE, PATIENCE, code_of

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(7_200),
]
CASES = int(os.environ.get("CODETETHER_FUZZ_CASES", "300"))
WAITING, ENDED = "00000000-0000-7000-8000-waiting-task", "00000000-0000-7000-8000-ended---task"
"""Stand, with the same length, for the ids of the test's own tasks, which are known only when it runs."""
CONTEXT = "context-of-both"


async def test_any_call_is_answered_or_refused(ada: GrpcCaller, hand: Hand, settings: Any) -> None:
    settings.A2A_BLOCKING_TIMEOUT = 0
    ended = await ada.send("hi", context_id=CONTEXT)
    await hand.finish(await hand.take())
    waiting = await ada.send("hello", context_id=CONTEXT)
    codes: Counter[grpc.StatusCode] = Counter()
    ids = {WAITING.encode(): waiting.id.encode(), ENDED.encode(): ended.id.encode()}
    loop = asyncio.get_running_loop()

    def check(case: Case) -> None:
        """Runs on hypothesis's thread."""
        call = code_of(ada, replace(case, raw=_with(case.raw, ids)))
        code = asyncio.run_coroutine_threadsafe(call, loop).result(2 * PATIENCE)
        codes[code] += 1
        assert code in FINE, code

    await asyncio.to_thread(_run, check)
    assert not await _streams_left()
    assert codes.keys() == FINE, "the calls are too tame to show anything"
    assert (await ada.get(ended.id)).artifacts[0].parts[0].text == "100"


def _run(check: Callable[[Case], None]) -> None:
    with_cases = given(cases([WAITING, ENDED, CONTEXT]))
    quickly = hypothesis_settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    quickly(with_cases(lambda case: check(case)))()


def _with(raw: bytes, ids: dict[bytes, bytes]) -> bytes:
    for stand_in, real in ids.items():
        raw = raw.replace(stand_in, real)
    return raw


async def _streams_left() -> list[str]:
    """Topics of tasks that are still waited for, once cancelled calls have had time to end."""
    left = ["unknown"]
    for _ in range(200):
        left = [topic for topic in hub()._waiters if topic.startswith("task:")]
        if not left:
            break
        await asyncio.sleep(0.05)
    return left
