"""Wake-ups: hints that a task's log has grown. They carry ids, never facts.

One group on the channel layer carries all wake-ups; each process subscribes once and fans out to its own waiters, so
a thousand open streams cost Redis one subscription. A lost wake-up costs latency only: every waiter also polls.
"""

import asyncio
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

GROUP = "wakeups"
RECONNECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WakeUp:
    """`task` grew to `seq`. `queue` is set when the task became claimable; `worker` when its holder should look."""

    workspace: str
    task: str
    seq: int
    codebase: str = ""
    queue: str = ""
    worker: str = ""

    def topics(self) -> Iterator[str]:
        """The names under which waiters listen: one task, or everything in a workspace."""
        yield f"task:{self.task}"
        yield f"workspace:{self.workspace}"


class Waiter:
    """One listener's mailbox: set by wake-ups, cleared by whoever reads. Bounded, since it keeps hints, not facts."""

    LIMIT = 512

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._hints: list[WakeUp] = []

    def put(self, wakeup: WakeUp) -> None:
        if len(self._hints) < self.LIMIT:
            self._hints.append(wakeup)
        self._event.set()

    async def wait(self, timeout: float) -> list[WakeUp]:
        """The hints since the last call; an empty list after `timeout` seconds without any."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        hints, self._hints = self._hints, []
        return hints


class Hub:
    """The wake-ups of one event loop: who waits for what, what waits to be sent, and the Redis subscription."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.origin = uuid.uuid4().hex
        self.connected = False
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._outgoing: list[WakeUp] = []
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self, topic: str) -> Iterator[Waiter]:
        """Listen to `topic` for the length of the block. Enter it before reading the log, so nothing falls between."""
        self._listen()
        waiter = Waiter()
        self._waiters[topic].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[topic].discard(waiter)
            if not self._waiters[topic]:
                del self._waiters[topic]

    def publish(self, wakeup: WakeUp) -> None:
        """Tell this process's waiters now, and the other processes with the next message. Call on the loop."""
        self._dispatch(wakeup)
        self._outgoing.append(wakeup)
        if self._sending is None or self._sending.done():
            self._sending = self.loop.create_task(self._send())

    def _dispatch(self, wakeup: WakeUp) -> None:
        for topic in wakeup.topics():
            for waiter in self._waiters.get(topic, ()):
                waiter.put(wakeup)

    async def _send(self) -> None:
        """Send what has gathered since the last message as one: a burst of commits costs one PUBLISH."""
        while self._outgoing:
            batch, self._outgoing = self._outgoing, []
            message = {"type": "wakeups", "origin": self.origin, "wakeups": [asdict(one) for one in batch]}
            try:
                await get_channel_layer().group_send(GROUP, message)
            except (RedisError, OSError) as error:
                log.warning("wake-ups not sent, readers fall back to polling: %s", error)

    def _listen(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = self.loop.create_task(self._receive_for_ever())

    async def _receive_for_ever(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                self.connected = False
                log.warning("no wake-ups from Redis, readers poll: %s", error)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _receive(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel("wakeups")
        await layer.group_add(GROUP, channel)
        self.connected = True
        while True:
            message: dict[str, Any] = await layer.receive(channel)
            if message["origin"] != self.origin:
                for one in message["wakeups"]:
                    self._dispatch(WakeUp(**one))

    async def close(self) -> None:
        """Stop listening and sending, and close this loop's connections to Redis."""
        for task in (self._listening, self._sending):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await get_channel_layer().flush()
        _hubs.pop(self.loop, None)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
_lock = threading.Lock()


def hub() -> Hub:
    """The running loop's hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(loop)
    return _hubs[loop]


def publish(wakeup: WakeUp) -> None:
    """Announce `wakeup` from any thread, in any process. Never raises and never waits: it is only a hint."""
    sender = _sender()
    try:
        sender.loop.call_soon_threadsafe(sender.publish, wakeup)
    except RuntimeError:
        log.info("wake-up dropped while the process stops")


def _sender() -> Hub:
    """A hub whose loop runs; processes without a loop (Celery, commands) get one on a thread of its own."""
    with _lock:
        for loop, one in list(_hubs.items()):
            if loop.is_closed():
                del _hubs[loop]
            elif loop.is_running():
                return one
        return _start_background_hub()


def _start_background_hub() -> Hub:
    loop = asyncio.new_event_loop()
    _hubs[loop] = Hub(loop)
    threading.Thread(target=loop.run_forever, name="wakeups", daemon=True).start()
    return _hubs[loop]
