"""Claims tasks while there is room for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from codetether_worker import lease
from codetether_worker.attempts import Attempts
from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerRefused, ServerUnreachable, WorkerUnknown

log = logging.getLogger(__name__)

# While the stream is up the server tells of every task; the rare look for oneself covers a lost hint.
_RARELY = 6


class Intake:
    """Asks for work when woken, and every poll interval while the stream is down.

    `on_forgotten` is called when the server does not know this worker any more.
    """

    def __init__(
        self, client: ControlPlane, attempts: Attempts, *, poll_interval: float, stopping: asyncio.Event,
        stream_up: Callable[[], bool], drain_asked: Callable[[], bool], on_forgotten: Callable[[], None],
    ) -> None:  # fmt: skip
        self._client = client
        self._attempts = attempts
        self._poll_interval = poll_interval
        self._stopping = stopping
        self._stream_up = stream_up
        self._drain_asked = drain_asked
        self._on_forgotten = on_forgotten
        self.wake = asyncio.Event()

    async def run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self.wake.clear()
            interval = self._poll_interval * (_RARELY if self._stream_up() else 1)
            try:
                await self._fill_slots()
                backoff.reset()
            except ServerUnreachable as error:
                interval = min(backoff.next_delay(error.retry_after), interval)
                log.info("claiming failed, next try in %.1f s: %s", interval, error)
            except WorkerUnknown:
                self._on_forgotten()
                interval = self._poll_interval
            except ServerRefused as error:
                log.warning("claiming refused: %s", error)
                await wait_for_any(self._stopping, limit=self._poll_interval)
            await wait_for_any(self.wake, self._stopping, limit=interval)

    async def _fill_slots(self) -> None:
        """Claim until there is no room or no task: one at a time, since each may occupy a working tree."""
        while self._attempts.free_slots > 0 and not self._stopping.is_set() and not self._drain_asked():
            claimed_at = lease.now()
            claims = await self._client.claim(limit=1, exclude_codebases=self._attempts.busy_codebases)
            if not claims:
                return
            for claim in claims:
                await self._attempts.start(claim, claimed_at=claimed_at)
