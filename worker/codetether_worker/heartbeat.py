"""Tells the server that this worker lives, renews its leases, and brings back cancels and messages."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from codetether_worker import lease
from codetether_worker.attempts import Attempts
from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.client import LONGEST_WAIT, ControlPlane
from codetether_worker.errors import ServerRefused, ServerUnreachable, WorkerUnknown
from codetether_worker.registration import Registrar

log = logging.getLogger(__name__)


class Heartbeat:
    """Beats at the server's interval, at once when `wake` is set, and faster while the server is away.

    `on_return` is called when the server answers again, or lets this worker take tasks again: a stream over a cut line
    may be silent for a while yet. `ending` tells whether this worker takes nothing new of its own accord.
    """

    def __init__(
        self, client: ControlPlane, attempts: Attempts, registrar: Registrar, *, stopping: asyncio.Event,
        on_return: Callable[[], None], ending: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._client = client
        self._attempts = attempts
        self._registrar = registrar
        self._stopping = stopping
        self._on_return = on_return
        self._ending = ending
        self.wake = asyncio.Event()
        self.drain_asked = False
        self.last_at: float | None = None  # seconds since the epoch
        self.trouble: str | None = None  # why the latest one failed

    async def run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            self.wake.clear()
            interval = self._registrar.terms.heartbeat_interval
            delay = interval
            try:
                await self.beat()
                backoff.reset()
            except WorkerUnknown:
                log.warning("the server does not know this worker any more; registering again")
                await self._register_again()
            except ServerUnreachable as error:
                self.trouble = str(error)
                delay = min(backoff.next_delay(error.retry_after), interval)
                log.info("heartbeat failed, next in %.1f s: %s", delay, error)
            except ServerRefused as error:
                self.trouble = str(error)
                log.warning("heartbeat refused: %s", error)
            await wait_for_any(self.wake, self._stopping, limit=delay)

    async def beat(self) -> None:
        claims = self._attempts.heartbeat_claims()
        sent_at = lease.now()
        status = "draining" if self._ending() else "active"
        # A server that hangs must not cost the lease: half of it is left to reach another one.
        limit = min(LONGEST_WAIT, self._registrar.terms.lease_seconds / 2)
        reply = await self._client.heartbeat(claims, status=status, limit=limit)
        if self.trouble is not None or (self.drain_asked and not reply.drain):
            self._on_return()
        self.last_at, self.trouble = time.time(), None
        if reply.drain != self.drain_asked:
            log.info("the server asks this worker to %s", "drain" if reply.drain else "take tasks again")
        self.drain_asked = reply.drain
        self._attempts.apply(reply, sent_at=sent_at, carried=claims)

    async def _register_again(self) -> None:
        try:
            await self._registrar.establish(stopping=self._stopping)
        except ServerRefused as error:
            log.warning("registration refused: %s", error)
