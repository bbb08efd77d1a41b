"""Telling the server how the working trees stand, until it has heard it."""

from __future__ import annotations

import asyncio
import logging

from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerRefused, ServerUnreachable
from codetether_worker.trees.record import TreeStore

log = logging.getLogger(__name__)

_EVERY = 15.0  # seconds between two tries
_LIMIT = 10.0
_AT_ONCE = 200
_HELD_AT_MOST = 1000


class TreeNews:
    """What the server has not heard yet; `fresh` is set when there is something."""

    def __init__(self, store: TreeStore, client: ControlPlane) -> None:
        self._store = store
        self._client = client
        self._telling = asyncio.Lock()
        self.fresh = asyncio.Event()

    async def run(self) -> None:
        """All that there is at first, then what changes."""
        held: list[str] | None = [record.id for record in self._store if record.is_there][:_HELD_AT_MOST]
        while True:
            self.fresh.clear()
            if await self.tell(held):
                held = None
            waited = asyncio.create_task(self.fresh.wait())
            try:
                await asyncio.wait({waited}, timeout=_EVERY)
            finally:
                waited.cancel()

    async def tell(self, held: list[str] | None = None) -> bool:
        """Say what has not been said; False while the server is out of reach. `held` names all that there are."""
        async with self._telling:
            untold = [record for record in self._store if not record.told and record.state != "making"][:_AT_ONCE]
            if not untold and held is None:
                return True
            said = [record.as_told() for record in untold]
            try:
                async with asyncio.timeout(_LIMIT):
                    await self._client.tell_trees(said, held=held)
            except (ServerUnreachable, ServerRefused, TimeoutError) as error:
                log.info("working trees are not told: %s", error)
                return False
            for record, told in zip(untold, said, strict=True):
                if record.as_told() == told:
                    self._store.note_told(record)
            return True
