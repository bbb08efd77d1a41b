"""Whatever is sent by JSON-RPC or REST is answered or refused in the binding's own shape; nothing stays behind.

`CODETETHER_FUZZ_CASES` sets how many requests are made of each.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.strategies import SearchStrategy

from apps.core.db import in_database
from apps.core.metrics import SSE_STREAMS
from apps.core.wakeups import hub
from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.connected import connect
from tests.factories import Cast
from tests.fuzz.calls import Known, Sent, rest_calls, rpc_calls
from tests.fuzz.inside import ask
from tests.fuzz.verdict import outcome_of

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(7_200),
]
CASES = int(os.environ.get("CODETETHER_FUZZ_CASES", "300"))
CONTEXT = "context-of-both"


async def _known(ada: Caller, hand: Hand, cast: Cast) -> Known:
    """A task that has ended and one that waits, a config, and a role."""
    ended = await ada.send("hi", contextId=CONTEXT)
    await hand.finish(await hand.take())
    waiting = await ada.send("hello", contextId=CONTEXT)
    config = {"taskId": waiting["id"], "pushNotificationConfig": {"id": "config-1", "url": "https://93.184.216.34/a"}}
    await ada.result("tasks/pushNotificationConfig/set", config)
    await in_database(connect, cast)
    ids = (waiting["id"], ended["id"])
    return Known(django_settings.A2A_AUTH_TOKENS["ci"], ids, (CONTEXT,), ("config-1",), ("reviewer",))


@pytest.mark.parametrize("calls", [rpc_calls, rest_calls])
async def test_any_request_is_answered_or_refused(
    calls: Callable[[Known], SearchStrategy[Sent]], ada: Caller, hand: Hand, cast: Cast, settings: Any
) -> None:
    settings.A2A_BLOCKING_TIMEOUT = 0
    known = await _known(ada, hand, cast)
    outcomes: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()

    def check(sent: Sent) -> None:
        """Runs on hypothesis's thread."""
        answer = asyncio.run_coroutine_threadsafe(ask(sent), loop).result()
        outcomes[outcome_of(sent, answer)] += 1

    await asyncio.to_thread(_run, calls(known), check)
    assert outcomes["answered"] + outcomes["stream: answered"] > CASES / 50, (
        f"the requests are too wild to show anything: {outcomes}"
    )
    assert not await _left(before)
    assert sum(thread.name.startswith("db") for thread in threading.enumerate()) <= settings.DATABASE_THREADS
    assert (await ada.result("tasks/get", {"id": known.tasks[1]}))["status"]["state"] == "completed"


def _run(calls: SearchStrategy[Sent], check: Callable[[Sent], None]) -> None:
    quickly = hypothesis_settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    quickly(given(calls)(lambda sent: check(sent)))()


async def _left(before: set[asyncio.Task[Any]]) -> list[object]:
    """Streams, readers of logs and asyncio tasks that are still there, once what was left has had time to end."""
    left: list[object] = ["unknown"]
    for _ in range(200):
        topics = [topic for topic in hub()._waiters if topic.startswith("task:")]
        tasks = [task for task in asyncio.all_tasks() - before if "Hub" not in repr(task.get_coro())]
        left = [*topics, *tasks, *["an open stream"] * int(SSE_STREAMS._value.get())]
        if not left:
            break
        await asyncio.sleep(0.05)
    return left
