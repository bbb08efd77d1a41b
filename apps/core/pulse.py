"""Whether what this process publishes comes back to it: the only way to know that wake-ups arrive.

The channel layer says nothing when Redis goes away, and subscribes anew by itself; a connection may also just hang.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

PULSE_SECONDS = 3.0
"""How often a subscribed process sends itself a message; one that is not back by the next shows that Redis is away."""


class Pulse:
    """Sets `connected` when anything arrives, and clears it when a message of ours cannot be sent or is not back."""

    def __init__(self, connected: asyncio.Event, send: Callable[[], Awaitable[None]]) -> None:
        self._connected = connected
        self._send = send
        self._received = 0

    def heard(self) -> None:
        """Something came, from whomever: the subscription holds."""
        self._received += 1
        self._connected.set()

    async def beat_for_ever(self) -> None:
        """From the first subscription on: what is sent before it does not come back."""
        await self._connected.wait()
        received = -1
        while True:
            if self._received == received:
                self._lose("silent")
            received = self._received
            try:
                await self._send()
            except (RedisError, OSError) as error:
                self._lose(f"away ({error})")
            await asyncio.sleep(PULSE_SECONDS)

    def _lose(self, how: str) -> None:
        if self._connected.is_set():
            log.warning("Redis is %s, readers poll", how)
        self._connected.clear()
