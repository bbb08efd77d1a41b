"""Readers that stand at the same place share one query: an event for a thousand streams costs one read."""

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, cast

from apps.core.db import in_database
from apps.core.wakeups import Waiter, hub


class SharedReads:
    """The reads of one event loop that are under way, each with the hub's stamp at its beginning."""

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[int, asyncio.Task[Any]]] = {}

    async def read[T](self, waiter: Waiter, work: Callable[..., T], *args: Hashable) -> T:
        """`work(*args)` in the database: joined if under way, unless it began before the waiter's last hint."""
        key = (work, args)
        stamp, task = self._running.get(key, (-1, None))
        if task is None or stamp < waiter.stamp:
            task = asyncio.create_task(in_database(work, *args))
            self._running[key] = (hub().stamp, task)
            task.add_done_callback(partial(self._forget, key))
        return cast(T, await asyncio.shield(task))

    def _forget(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        if self._running.get(key, (0, None))[1] is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # looked at, whether or not a reader is left to be told
