"""Waiting between tries, and waiting on several things at once."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)


class Backoff:
    """Exponential backoff with full jitter: a uniform draw from 0 to min(cap, base * 2**tries) seconds.

    Full jitter spreads a fleet of workers evenly when a server comes back.
    """

    def __init__(
        self, *, base: float = 0.25, cap: float = 15.0, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._base = base
        self._cap = cap
        self._draw = draw
        self._tries = 0

    def reset(self) -> None:
        self._tries = 0

    def next_delay(self, retry_after: float | None = None) -> float:
        """Seconds to wait before the next try; never less than what the server asked for."""
        ceiling = min(self._cap, self._base * 2**self._tries)
        self._tries = min(self._tries + 1, 30)
        delay = self._draw(0, ceiling)
        return delay if retry_after is None else max(delay, retry_after)


async def wait_for_any(*events: asyncio.Event, limit: float | None = None) -> bool:
    """Wait until one of the events is set; False when `limit` seconds passed first."""
    if any(event.is_set() for event in events):
        return True
    waiters = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiters, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        await cancel_and_wait(*waiters)


async def cancel_and_wait(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks of ours and wait until each has really ended; their own errors are still raised."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def abandon(task: asyncio.Future[Any]) -> None:
    """Cancel a task whose result no longer matters, and wait for its end; an error of its own is logged."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("abandoned work ended with %s: %s", type(error).__name__, error)
