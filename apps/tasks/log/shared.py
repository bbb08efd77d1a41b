"""Readers that stand at the same place share one query: an event for a thousand streams costs one read."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, cast

from apps.core.db import in_database
from apps.core.wakeups import Waiter, hub


class _Read:
    """One read under way: the hub's stamp at its beginning, and who waits for it."""

    def __init__(self, stamp: int) -> None:
        self.stamp = stamp
        self.waiting: list[asyncio.Future[Any]] = []
        self.task: asyncio.Task[Any] | None = None


class SharedReads:
    """The reads of one event loop that are under way."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Read] = {}

    async def read[T](self, waiter: Waiter, work: Callable[..., T], *args: Hashable) -> T:
        """`work(*args)` in the database: joined if under way, unless it began before the waiter's last hint.

        A reader that leaves takes nobody else's read along.
        """
        key = (work, args)
        one = self._running.get(key)
        if one is None or one.stamp < waiter.stamp:
            one = self._running[key] = _Read(hub().stamp)
            one.task = asyncio.create_task(self._run(one, key, work, args))
        mine = asyncio.get_running_loop().create_future()
        one.waiting.append(mine)
        return cast(T, await mine)

    async def _run(self, one: _Read, key: Hashable, work: Callable[..., Any], args: tuple[Hashable, ...]) -> None:
        found, failure = None, None
        try:
            found = await in_database(work, *args)
        except Exception as error:  # noqa: BLE001 (handed to whoever waits)
            failure = error
        if self._running.get(key) is one:
            del self._running[key]
        for future in one.waiting:
            if future.done():
                continue  # its reader has left
            if failure is None:
                future.set_result(found)
            else:
                future.set_exception(failure)
