"""Wake-ups: hints that a task's log has grown. They carry ids, never facts.

One group on the channel layer carries all wake-ups; each process subscribes once and fans out to its own
waiters, so a thousand open streams cost Redis one subscription. A lost wake-up costs latency only: whoever
waits also polls.
"""

import asyncio
import logging
import os
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from apps.core.metrics import UNSENT_WAKE_UPS
from apps.core.pulse import Pulse

log = logging.getLogger(__name__)

GROUP = "wakeups"
_PROCESS = uuid.uuid4().hex
RECONNECT_SECONDS = 1.0
SEND_SECONDS = 5.0
GATHER_SECONDS = 0.003
OUTGOING_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class WakeUp:
    """`task` grew to `seq`. `queue` is set when it became claimable; `worker` when its holder should look."""

    workspace: str
    task: str
    seq: int
    codebase: str = ""
    queue: str = ""
    worker: str = ""

    def topics(self) -> Iterator[str]:
        """The names under which waiters listen: one task, one codebase, or everything in a workspace."""
        yield f"task:{self.task}"
        yield f"workspace:{self.workspace}"
        if self.codebase:
            yield f"codebase:{self.codebase}"

    def as_message(self) -> dict[str, Any]:
        """The fields, for Redis."""
        return {
            "workspace": self.workspace,
            "task": self.task,
            "seq": self.seq,
            "codebase": self.codebase,
            "queue": self.queue,
            "worker": self.worker,
        }


class Waiter:
    """One listener's mailbox: filled by wake-ups, emptied by whoever waits. It keeps hints, not facts:
    bounded.

    `stamp` is the hub's count at the last hint: what began to be read at that count or later has seen its
    event.
    """

    LIMIT = 512
    __slots__ = ("_hints", "_rouse", "_sleeper", "_timer", "_until", "stamp")

    def __init__(self, stamp: int) -> None:
        self.stamp = stamp
        self._hints: list[WakeUp] = []
        self._sleeper: asyncio.Future[None] | None = None
        self._rouse: Rouse = _at_once
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0

    def put(self, wakeup: WakeUp, stamp: int) -> None:
        self.stamp = stamp
        if len(self._hints) >= self.LIMIT:
            del self._hints[: self.LIMIT // 2]  # the newest say the most
        self._hints.append(wakeup)
        if self._sleeper is not None:
            self._rouse(wakeup, self._sleeper)

    async def wait(self, seconds: float) -> list[WakeUp]:
        """The hints since the last call; an empty list after `seconds` without any."""
        await self.rest(seconds)
        return self.take()

    async def rest(self, seconds: float, rouse: "Rouse | None" = None) -> None:
        """Until there are hints (there may be already), or `seconds` have passed.

        With `rouse`, whoever rests is not woken by a hint: `rouse(hint, sleeper)` sees to it, at once, later or never.
        """
        if not self._hints and seconds > 0:
            self._rouse = rouse or _at_once
            await self._sleep(seconds)

    def take(self) -> list[WakeUp]:
        """The hints since the last call, without waiting."""
        hints, self._hints = self._hints, []
        return hints

    async def _sleep(self, seconds: float) -> None:
        """A future and a timer: a twentieth of what an Event with a timeout costs an idle stream.

        Whoever was woken leaves its timer running for its next sleep, which ends later: then it is only set anew.
        """
        loop = asyncio.get_running_loop()
        self._until = loop.time() + seconds
        if self._timer is None or self._timer.when() > self._until:
            self.close()
            self._timer = loop.call_later(seconds, self._ring)
        self._sleeper = sleeper = loop.create_future()
        try:
            await sleeper
        finally:
            self._sleeper = None

    def _ring(self) -> None:
        self._timer = None
        if self._sleeper is None:
            return
        loop = self._sleeper.get_loop()
        left = self._until - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._ring)
        else:
            wake(self._sleeper)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


Rouse = Callable[[WakeUp, asyncio.Future[None]], None]


def wake(sleeper: asyncio.Future[None]) -> None:
    """Let whoever awaits `sleeper` go on, if it still sleeps."""
    if not sleeper.done():
        sleeper.set_result(None)


def _at_once(hint: WakeUp, sleeper: asyncio.Future[None]) -> None:
    wake(sleeper)


class Hub:
    """The wake-ups of one event loop: who waits for what, what is to be sent, and the Redis subscription."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.origin = f"{os.getpid()}-{_PROCESS}"
        self.connected = asyncio.Event()
        self.stamp = 0
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._outgoing: deque[WakeUp] = deque(maxlen=OUTGOING_LIMIT)
        self._pulse = Pulse(self.connected, partial(self._send_message, []))
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._pulsing: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """`idle` before the first reader, `connected` while other processes' wake-ups arrive, else `polling`."""
        if self._listening is None:
            return "idle"
        return "connected" if self.connected.is_set() else "polling"

    @contextmanager
    def waiting(self, topic: str) -> Iterator[Waiter]:
        """Listen to `topic` within the block. Enter it before you read the log, so that nothing falls between."""
        self._listen()
        waiter = Waiter(self.stamp)
        self._waiters[topic].add(waiter)
        try:
            yield waiter
        finally:
            waiter.close()
            self._waiters[topic].discard(waiter)
            if not self._waiters[topic]:
                del self._waiters[topic]

    def publish(self, *wakeups: WakeUp) -> None:
        """Tell this process's waiters now, the other processes with the next message. Call on the loop."""
        self.dispatch(*wakeups)
        self._outgoing.extend(wakeups)
        if self._sending is None or self._sending.done():
            self._sending = self.loop.create_task(self._send())

    def dispatch(self, *wakeups: WakeUp) -> None:
        """Tell this process's waiters. Call on the loop."""
        self.stamp += 1
        for wakeup in wakeups:
            for topic in wakeup.topics():
                for waiter in self._waiters.get(topic, ()):
                    waiter.put(wakeup, self.stamp)

    async def _send(self) -> None:
        """Send what has gathered since the last message as one: a burst of commits costs one PUBLISH.

        The first goes out at once; those that follow within GATHER_SECONDS go together.
        """
        while self._outgoing:
            batch = [one.as_message() for one in self._outgoing]
            self._outgoing.clear()
            try:
                await self._send_message(batch)
            except (RedisError, OSError) as error:
                UNSENT_WAKE_UPS.inc(len(batch))
                log.warning("wake-ups not sent, readers fall back to polling: %s", error)
                self.connected.clear()
            await asyncio.sleep(GATHER_SECONDS)

    async def _send_message(self, batch: list[dict[str, Any]]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await get_channel_layer().group_send(GROUP, {"type": "wakeups", "origin": self.origin, "wakeups": batch})

    def _listen(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = self.loop.create_task(self._receive_for_ever())
            self._pulsing = self.loop.create_task(self._pulse.beat_for_ever())

    async def _receive_for_ever(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                log.warning("no wake-ups from Redis, readers poll: %s", error)
                await _forget_subscriptions()
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                self.connected.clear()

    async def _receive(self) -> None:
        """The layer subscribes again by itself after Redis was away: only the first subscription can fail."""
        layer = get_channel_layer()
        channel = await layer.new_channel("wakeups")
        await layer.group_add(GROUP, channel)
        self.connected.set()
        while True:
            message: dict[str, Any] = await layer.receive(channel)
            self._pulse.heard()
            if message["origin"] != self.origin:
                for one in message["wakeups"]:
                    self.dispatch(WakeUp(**one))

    async def close(self) -> None:
        """Stop listening and sending, and close this loop's connections to Redis."""
        _hubs.pop(self.loop, None)
        for task in (self._pulsing, self._listening, self._sending):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await _forget_subscriptions()


async def _forget_subscriptions() -> None:
    """Close this loop's connections to Redis; they open again when needed."""
    with suppress(RedisError, OSError):
        await get_channel_layer().flush()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
_lock = threading.Lock()


def _forget_parent() -> None:
    """A forked child has none of its parent's loops running, whatever their flags say."""
    _hubs.clear()
    if _lock.locked():
        _lock.release()


os.register_at_fork(after_in_child=_forget_parent)


def hub() -> Hub:
    """The running loop's hub."""
    loop = asyncio.get_running_loop()
    with _lock:
        if loop not in _hubs:
            _hubs[loop] = Hub(loop)
        return _hubs[loop]


def publish(*wakeups: WakeUp) -> None:
    """Announce `wakeups` from any thread, in any process. Never raises and never waits: they are only hints."""
    sender, *others = _running_hubs()
    for one, deliver in [(sender, sender.publish), *((one, one.dispatch) for one in others)]:
        try:
            one.loop.call_soon_threadsafe(deliver, *wakeups)
        except RuntimeError:
            log.info("wake-up dropped while the process stops")


def _running_hubs() -> list[Hub]:
    """The hubs whose loops run; processes without a loop (Celery, commands) get one on a thread of its own."""
    with _lock:
        for loop in [loop for loop in _hubs if loop.is_closed()]:
            del _hubs[loop]
        return [one for loop, one in _hubs.items() if loop.is_running()] or [_start_background_hub()]


def _start_background_hub() -> Hub:
    loop = asyncio.new_event_loop()
    _hubs[loop] = Hub(loop)
    threading.Thread(target=loop.run_forever, name="wakeups", daemon=True).start()
    return _hubs[loop]
