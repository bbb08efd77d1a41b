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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from apps.core.metrics import UNSENT_WAKE_UPS
from apps.core.pulse import Pulse
from apps.core.waiter import Waiter, WakeUp

log = logging.getLogger(__name__)

GROUP = "wakeups"
_PROCESS = uuid.uuid4().hex
RECONNECT_SECONDS = 1.0
SEND_SECONDS = 5.0
PACE_SECONDS = 0.003
"""Between two messages when many are sent; what is published meanwhile goes along with the next."""
EAGER_SECONDS = 0.03
"""By how much a few may be ahead of that pace, so that what happens now and then goes out at once."""
OUTGOING_LIMIT = 10_000


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
        self._gathering = False
        self._paced_until = 0.0
        self._sending: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._pulsing: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """`idle` before `listen`, `connected` while other processes' wake-ups arrive, else `polling`."""
        if self._listening is None:
            return "idle"
        return "connected" if self.connected.is_set() else "polling"

    @contextmanager
    def waiting(self, topic: str) -> Iterator[Waiter]:
        """Listen to `topic` within the block. Enter it before you read the log, so that nothing falls between."""
        self.listen()
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
        """Tell this process's waiters now, the other processes with the next message. From any thread."""
        self._outgoing.extend(wakeups)
        if self._waiters:
            self.loop.call_soon_threadsafe(self.dispatch, *wakeups)
        if not self._gathering:  # else what was just added goes along: it looks again after it has said that it stops
            self.loop.call_soon_threadsafe(self._begin_sending)

    def _begin_sending(self) -> None:
        if not self._gathering and self._outgoing:
            self._gathering = True
            self._sending = self.loop.create_task(self._send())

    def dispatch(self, *wakeups: WakeUp) -> None:
        """Tell this process's waiters. Call on the loop."""
        self.stamp += 1
        for wakeup in wakeups if self._waiters else ():
            for topic in wakeup.topics():
                for waiter in self._waiters.get(topic, ()):
                    waiter.put(wakeup, self.stamp)

    async def _send(self) -> None:
        """Send what has gathered since the last message as one: a burst of commits costs one PUBLISH."""
        try:
            while self._outgoing:
                await self._send_gathered()
        finally:
            self._gathering = False
        self._begin_sending()

    async def _send_gathered(self) -> None:
        batch = []
        while self._outgoing:
            batch.append(self._outgoing.popleft())
        try:
            await self._send_message(batch)
        except (RedisError, OSError) as error:
            UNSENT_WAKE_UPS.inc(len(batch))
            log.warning("wake-ups not sent, readers fall back to polling: %s", error)
            self.connected.clear()
        await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """Seconds to wait after a message: none until the latest ones together were ahead of the pace."""
        now = self.loop.time()
        self._paced_until = max(self._paced_until, now) + PACE_SECONDS
        return max(0.0, self._paced_until - now - EAGER_SECONDS)

    async def _send_message(self, batch: list[WakeUp]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await get_channel_layer().group_send(GROUP, {"type": "wakeups", "origin": self.origin, "wakeups": batch})

    def listen(self) -> None:
        """Subscribe, if it has not been done. A server does it at its start: subscribing takes a moment, in which what
        happens elsewhere would reach the first reader by its poll alone.
        """
        if self._listening is None or self._listening.done():
            self._listening = self.loop.create_task(self._receive_for_ever())
            self._pulsing = self.loop.create_task(self._pulse.beat_for_ever())

    async def _receive_for_ever(self) -> None:
        told = False
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                again = told and not self.connected.is_set()
                log.log(logging.DEBUG if again else logging.WARNING, "no wake-ups from Redis, readers poll: %s", error)
                told = True
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
                self.dispatch(*(WakeUp(*one) for one in message["wakeups"]))

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
    try:
        sender.publish(*wakeups)
        for one in others:
            one.loop.call_soon_threadsafe(one.dispatch, *wakeups)
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
