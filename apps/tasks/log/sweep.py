"""The poll behind the wake-ups, one for all readers of a process: what has a reader not been told of?

Every POLL_SECONDS two statements look at what all readers wait for, so that ten thousand silent streams
cost as much as one. What they find is dispatched like a wake-up that came late.
"""

import asyncio
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import Error, connection

from apps.core.db import in_database
from apps.core.tenancy import EVERYWHERE, acting
from apps.core.waiter import WakeUp
from apps.core.wakeups import hub
from apps.tasks.log.entries import Cursor
from apps.tasks.log.reading import now_cursor

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0

_GROWN_TASKS = """
SELECT COALESCE(t.workspace_id::text, ''), p.id::text, COALESCE(t.last_seq, 0), COALESCE(t.codebase_id, '')
FROM unnest(%(ids)s::uuid[], %(seqs)s::bigint[]) AS p(id, seq) LEFT JOIN tasks_task t ON t.id = p.id
WHERE t.id IS NULL OR t.last_seq > p.seq"""

_GROWN_WORKSPACES = """
SELECT w.id::text, e.task_id::text, max(e.seq), COALESCE(t.codebase_id, '')
FROM unnest(%(ids)s::uuid[], %(positions)s::bigint[]) AS w(id, position)
JOIN tasks_taskevent e ON e.workspace_id = w.id AND e.position >= w.position AND e.position < %(horizon)s
JOIN tasks_task t ON t.id = e.task_id
GROUP BY w.id, e.task_id, t.codebase_id"""


@dataclass(slots=True, eq=False)
class Place:
    """Where a reader of one task is."""

    task_id: uuid.UUID
    seq: int

    def is_behind(self, hint: WakeUp) -> bool:
        """Whether a hint speaks of an event after `seq` (or, by 0, of a task that is gone)."""
        return hint.seq > self.seq or not hint.seq


class Sweep:
    """The poll of one event loop. It runs while there are readers."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._readers: dict[uuid.UUID, int] = {}
        self._positions: dict[uuid.UUID, int] = {}
        self._running: asyncio.Task[None] | None = None

    @contextmanager
    def over_task(self, task_id: uuid.UUID, seq: int) -> Iterator[Place]:
        """Look after a reader of one task, which keeps its place up to date."""
        place = Place(task_id, seq)
        self._places.add(place)
        self._run()
        try:
            yield place
        finally:
            self._places.discard(place)

    @contextmanager
    def over_workspace(self, workspace_id: uuid.UUID) -> Iterator[None]:
        """Look after a reader of a workspace. Call `begin` inside, before the reader's first read."""
        self._readers[workspace_id] = self._readers.get(workspace_id, 0) + 1
        self._run()
        try:
            yield
        finally:
            self._readers[workspace_id] -= 1
            if not self._readers[workspace_id]:
                del self._readers[workspace_id]
                self._positions.pop(workspace_id, None)

    async def begin(self, workspace_id: uuid.UUID) -> None:
        """Have a position for the workspace: from there on the poll sees what wake-ups miss."""
        if workspace_id not in self._positions:
            position = (await in_database(now_cursor)).position
            self._positions[workspace_id] = min(position, self._positions.get(workspace_id, position))

    def _run(self) -> None:
        if self._running is None or self._running.done():
            with acting(EVERYWHERE):  # it looks after readers of all workspaces, and tells them ids only
                self._running = asyncio.create_task(self._poll_while_needed(), name="log sweep")

    async def _poll_while_needed(self) -> None:
        while self._places or self._readers:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._poll()
            except Error as error:
                log.warning("the poll for new events found no database: %s", type(error).__name__)

    async def _poll(self) -> None:
        places: dict[uuid.UUID, int] = {}
        for place in self._places:
            places[place.task_id] = min(place.seq, places.get(place.task_id, place.seq))
        found = await in_database(_grown_tasks, places) if places else []
        if self._positions:
            horizon = await in_database(now_cursor)
            asked = dict(self._positions)
            found += await in_database(_grown_workspaces, asked, horizon)
            for workspace_id in asked.keys() & self._positions.keys():
                self._positions[workspace_id] = horizon.position
        for wakeup in found:
            hub().dispatch(wakeup)


def _grown_tasks(places: dict[uuid.UUID, int]) -> list[WakeUp]:
    return _wakeups(_GROWN_TASKS, {"ids": list(places), "seqs": list(places.values())})


def _grown_workspaces(positions: dict[uuid.UUID, int], horizon: Cursor) -> list[WakeUp]:
    params = {"ids": list(positions), "positions": list(positions.values()), "horizon": horizon.position}
    return _wakeups(_GROWN_WORKSPACES, params)


def _wakeups(sql: str, params: dict[str, Any]) -> list[WakeUp]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [WakeUp(*row) for row in cursor.fetchall()]
