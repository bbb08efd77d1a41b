"""Wake-ups: hints between processes, whose loss costs only time."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from channels.layers import channel_layers
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core import pulse, wakeups
from apps.core.metrics import REGISTRY
from apps.core.waiter import Waiter, WakeUp
from apps.core.wakeups import Hub, hub, publish
from codetether.embedded import launcher

pytestmark = pytest.mark.asyncio

GREW = WakeUp(workspace="w", task="t", seq=1, codebase="c")


@pytest_asyncio.fixture(autouse=True)
async def _hub_closes() -> AsyncIterator[None]:
    yield
    await hub().close()


async def test_wakeup_reaches_whoever_waits_for_task_workspace_or_codebase() -> None:
    with hub().waiting("task:t") as a, hub().waiting("workspace:w") as b, hub().waiting("codebase:c") as c:
        with hub().waiting("task:other") as other:
            hub().dispatch(GREW)
            assert [await one.wait(1) for one in (a, b, c)] == [[GREW]] * 3
            assert await other.wait(0) == []


async def test_waiting_ends_after_its_time_and_when_woken() -> None:
    with hub().waiting("task:t") as waiter:
        assert await waiter.wait(0.001) == []
        woken = asyncio.create_task(waiter.wait(60))
        await asyncio.sleep(0)
        hub().dispatch(GREW)
        assert await asyncio.wait_for(woken, 5) == [GREW]


async def test_hints_that_nobody_takes_are_bounded_and_the_newest_stay() -> None:
    waiter = Waiter(0)
    for seq in range(5 * Waiter.LIMIT):
        waiter.put(WakeUp("w", "t", seq), seq)
    hints = waiter.take()
    assert len(hints) <= Waiter.LIMIT
    assert hints[-1].seq == 5 * Waiter.LIMIT - 1


async def test_stamp_grows_with_every_hint() -> None:
    with hub().waiting("task:t") as waiter:
        before = waiter.stamp
        hub().dispatch(GREW)
        assert waiter.stamp == hub().stamp == before + 1


async def test_wakeup_from_a_thread_arrives() -> None:
    with hub().waiting("task:t") as waiter:
        threading.Thread(target=publish, args=[GREW]).start()
        assert await waiter.wait(5) == [GREW]


def in_another_process(act: Any) -> None:
    """Run `await act(hub)` with a loop and a hub of its own, as another process would."""

    async def main() -> None:
        other = hub()
        other.origin = "another process"
        try:
            await act(other)
        finally:
            await other.close()

    asyncio.run(main())


async def told(other: Hub) -> None:
    other.publish(GREW)
    await sent_by(other)


async def sent_by(one: Hub) -> None:
    """Until what was published is on its way."""
    await asyncio.sleep(0)
    assert one._sending is not None
    await one._sending


async def test_wakeup_reaches_another_process_through_redis() -> None:
    with hub().waiting("task:t") as waiter:
        await asyncio.wait_for(hub().connected.wait(), 10)
        await asyncio.to_thread(in_another_process, told)
        assert await waiter.wait(10) == [GREW]


async def test_burst_is_sent_as_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    class Layer:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            sent.append(message)

        async def flush(self) -> None: ...

    monkeypatch.setattr(wakeups, "get_channel_layer", Layer)
    for _ in range(100):
        hub().publish(GREW)
    await sent_by(hub())
    assert [len(message["wakeups"]) for message in sent] == [100]


async def test_few_messages_go_out_at_once_and_many_at_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = int(wakeups.EAGER_SECONDS / wakeups.PACE_SECONDS)
    sender = hub()
    monkeypatch.setattr(sender.loop, "time", lambda: 1000.0)
    pauses = [sender._pause() for _ in range(at_once + 100)]
    assert not any(pauses[: at_once - 1])
    assert pauses[-1] == pytest.approx(101 * wakeups.PACE_SECONDS, abs=2 * wakeups.PACE_SECONDS)
    monkeypatch.setattr(sender.loop, "time", lambda: 1001.0)
    assert sender._pause() == 0


async def test_redis_away_is_survived_by_sender_and_listener(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = 0
    refused_twice = asyncio.Event()

    class Away:
        async def new_channel(self, prefix: str) -> str:
            nonlocal refusals
            refusals += 1
            if refusals == 2:
                refused_twice.set()
            raise RedisConnectionError("away")

        async def group_send(self, group: str, message: object) -> None:
            raise RedisConnectionError("away")

        async def flush(self) -> None:
            raise RedisConnectionError("away")

    monkeypatch.setattr(wakeups, "get_channel_layer", Away)
    monkeypatch.setattr(wakeups, "RECONNECT_SECONDS", 0.001)
    unsent = REGISTRY.get_sample_value("codetether_wakeups_unsent_total") or 0
    with hub().waiting("task:t") as waiter:
        hub().publish(GREW)
        assert await waiter.wait(5) == [GREW]
        await asyncio.wait_for(refused_twice.wait(), 5)
    assert not hub().connected.is_set()
    assert REGISTRY.get_sample_value("codetether_wakeups_unsent_total") == unsent + 1


async def test_wakeups_come_again_after_redis_was_restarted(settings: Any, tmp_path: Path) -> None:
    data = tmp_path / "services"
    services = launcher.start(data, durable=False, needs={"valkey"})
    config = {"hosts": [services.redis_url], "prefix": "restart"}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    }
    assert channel_layers
    url = services.redis_url
    try:
        with hub().waiting("task:t") as waiter:
            await asyncio.wait_for(hub().connected.wait(), 10)
            await asyncio.to_thread(services.stop)
            services = await asyncio.to_thread(launcher.start, data, durable=False, needs={"valkey"})
            assert services.redis_url == url
            hints: list[WakeUp] = []
            async with asyncio.timeout(30):
                while not hints:
                    await asyncio.to_thread(in_another_process, told)
                    hints = await waiter.wait(0.2)
            assert GREW in hints
    finally:
        await hub().close()
        services.stop()


async def test_a_subscription_that_takes_long_is_not_taken_for_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PULSE_SECONDS", 0.01)
    connected, sent = asyncio.Event(), asyncio.Event()

    async def send() -> None:
        sent.set()

    beating = asyncio.create_task(pulse.Pulse(connected, send).beat_for_ever())
    await asyncio.sleep(0.03)
    assert not sent.is_set()
    connected.set()
    await asyncio.wait_for(sent.wait(), 5)
    assert connected.is_set()
    beating.cancel()


async def test_forked_child_does_not_believe_in_its_parents_loop() -> None:
    assert hub()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(len(wakeups._hubs)).encode())
        os._exit(0)
    await asyncio.to_thread(os.waitpid, pid, 0)
    assert os.read(reader, 8) == b"0"
    os.close(reader)
    os.close(writer)


async def test_silence_of_redis_is_noticed_and_its_return_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that hangs raises no error: only our own pulse, which does not come back, tells."""
    monkeypatch.setattr(pulse, "PULSE_SECONDS", 0.01)
    returned: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    hangs = False

    class Layer:
        async def new_channel(self, prefix: str) -> str:
            return prefix

        async def group_add(self, group: str, channel: str) -> None: ...

        async def receive(self, channel: str) -> dict[str, Any]:
            return await returned.get()

        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            if not hangs:
                returned.put_nowait(message)

        async def flush(self) -> None: ...

    layer = Layer()
    monkeypatch.setattr(wakeups, "get_channel_layer", lambda: layer)
    assert hub().state == "idle"
    with hub().waiting("task:t"):
        for hangs, state in ((False, "connected"), (True, "polling"), (False, "connected")):  # noqa: B007
            async with asyncio.timeout(5):
                while hub().state != state:  # noqa: ASYNC110 (a state, not an event)
                    await asyncio.sleep(0.005)
