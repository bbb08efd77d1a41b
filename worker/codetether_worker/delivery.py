"""Sends one claim's outbox to the server, in order, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from codetether_worker import events
from codetether_worker.backoff import Backoff
from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerRefused, ServerUnreachable, StaleClaim, Unauthorized
from codetether_worker.outbox import Batch, ClaimLog

log = logging.getLogger(__name__)

_GATHER = 0.03


class Delivery:
    """Delivers until the finish is acknowledged or the claim is lost.

    `on_stale` is called once when the server says that the claim is not ours any more.
    """

    def __init__(self, client: ControlPlane, outbox: ClaimLog, *, on_stale: Callable[[], None]) -> None:
        self._client = client
        self._outbox = outbox
        self._on_stale = on_stale
        self._disk_failed = False

    async def run(self) -> None:
        """Returns when nothing is owed any more. The claim's file is gone then."""
        settled = False
        try:
            while not settled:
                await self._outbox.changed.wait()
                self._outbox.changed.clear()
                if not self._outbox.finished:
                    await asyncio.sleep(_GATHER)  # events come in bursts; one request carries a burst
                settled = await self._send_what_is_there()
        except StaleClaim:
            log.warning("claim is stale, dropped what was queued task=%s", self._outbox.task_id)
            self._on_stale()
        self._outbox.discard()

    async def _send_what_is_there(self) -> bool:
        """True once the finish has been acknowledged."""
        stored = await self._store()
        while batch := await self._outbox.next_batch():
            if await self._send(batch):
                return True
            self._outbox.mark_sent(batch)
        while not stored and (batch := self._outbox.unstored_batch()):
            if await self._send(batch):
                return True
            self._outbox.forget_unstored(batch)
        return False

    async def _send(self, batch: Batch) -> bool:
        """True where the finish was in it."""
        if batch.events:
            await self._send_events(batch)
        if batch.finish is not None:
            await self._send_finish(batch.finish)
        return batch.finish is not None

    async def _store(self) -> bool:
        """Put on disk what has come in. Where the disk does not take it, it is sent from memory, and said so once:
        only a crash of the worker would lose it then."""
        try:
            await self._outbox.flush()
        except OSError as error:
            if not self._disk_failed:
                self._disk_failed = True
                log.error("outbox cannot be written: %s", error)  # noqa: TRY400 (no trace)
                told = f"The worker's outbox cannot be written ({error.strerror}); what happens is sent unwritten."
                self._outbox.append(events.status(told))
            return False
        return True

    async def _send_events(self, batch: Batch) -> None:
        try:
            await self._persist(self._post, batch.events)
        except StaleClaim:
            raise
        except ServerRefused as error:
            if error.status == 404:
                raise _as_stale(error) from error
            log.warning("server refused a batch task=%s: %s", self._outbox.task_id, error)
            await self._send_one_by_one(batch.events)

    async def _send_one_by_one(self, unsent: tuple[dict[str, Any], ...]) -> None:
        """Find the event the server cannot take, and say in its place that it was left out."""
        for event in unsent:
            try:
                await self._persist(self._post, (event,))
            except StaleClaim:
                raise
            except ServerRefused as error:
                text = f"An event of kind {event['kind']} was refused by the server: {error.detail}"
                stand_in = {**event, "kind": "status", "data": {"message": text}}
                try:
                    await self._persist(self._post, (stand_in,))
                except StaleClaim:
                    raise
                except ServerRefused as again:
                    log.error("event left out task=%s: %s", self._outbox.task_id, again)  # noqa: TRY400

    async def _send_finish(self, finish: dict[str, Any]) -> None:
        try:
            await self._persist(self._release, finish)
            log.info("released task=%s status=%s", self._outbox.task_id, finish.get("status"))
        except StaleClaim:
            raise
        except ServerRefused as error:
            raise _as_stale(error) from error

    async def _post(self, batch: tuple[dict[str, Any], ...]) -> None:
        body = {"claim_token": self._outbox.claim_token, "events": list(batch)}
        await self._client.post_events(self._outbox.task_id, body)

    async def _release(self, finish: dict[str, Any]) -> None:
        await self._client.release({"task_id": self._outbox.task_id, "claim_token": self._outbox.claim_token, **finish})

    async def _persist(self, send: Callable[..., Any], content: object) -> None:
        """Try until the server answers; a wrong token counts as out of reach, since it can be put right."""
        backoff = Backoff()
        while True:
            try:
                await send(content)
                return
            except Unauthorized as error:
                delay = max(backoff.next_delay(), 1.0)
                log.warning("delivery waits %.1f s task=%s: %s", delay, self._outbox.task_id, error)
            except ServerUnreachable as error:
                delay = backoff.next_delay(error.retry_after)
                log.info("delivery waits %.1f s task=%s: %s", delay, self._outbox.task_id, error)
            await asyncio.sleep(delay)


def _as_stale(error: ServerRefused) -> StaleClaim:
    """A refusal for good: the task is gone or takes no finish from us."""
    return StaleClaim(error.status, error.code, error.detail)
