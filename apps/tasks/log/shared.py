"""Readers that stand at the same place share one query: an event for a thousand streams costs one read.

A reader that rests is woken once, when what the hint told of has been read: waking it for the hint and again for the
page cost a third of the time in which an event reached a thousand streams.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, cast

from apps.core import tenancy
from apps.core.db import in_database
from apps.core.waiter import Waiter, WakeUp, wake
from apps.core.wakeups import hub


class _Read:
    """One read: the hub's stamp at its beginning, who is to be woken at its end, and what it found."""

    def __init__(self, stamp: int) -> None:
        self.stamp = stamp
        self.waiting: list[asyncio.Future[None]] = []
        self.task: asyncio.Task[None] | None = None
        self.is_done = False
        self.found: Any = None
        self.failure: Exception | None = None

    def result(self) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.found


class SharedReads:
    """The reads of one event loop that are under way, or whose readers are just being woken."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _Read] = {}

    async def read[T](self, waiter: Waiter, work: Callable[..., T], *args: Hashable) -> T:
        """`work(*args)` in the database: shared with others, unless it began before the waiter's last hint.

        A reader that leaves takes nobody else's read along.
        """
        one = self._begun(waiter, work, args)
        if not one.is_done:
            mine = asyncio.get_running_loop().create_future()
            one.waiting.append(mine)
            await mine
        return cast(T, one.result())

    async def rest(
        self,
        waiter: Waiter,
        seconds: float,
        is_news: Callable[[WakeUp], bool],
        work: Callable[..., object],
        *args: Hashable,
    ) -> None:
        """Until `read` can give at once what was read after a hint that `is_news`, or `seconds` have passed."""
        reader = tenancy.current()

        def rouse(hint: WakeUp, sleeper: asyncio.Future[None]) -> None:
            if is_news(hint):
                with tenancy.acting(reader):  # the hint came by somebody else
                    self._begun(waiter, work, args).waiting.append(sleeper)

        await waiter.rest(seconds, rouse)

    def _begun(self, waiter: Waiter, work: Callable[..., object], args: tuple[Hashable, ...]) -> _Read:
        """The read that others have begun since the waiter's last hint, else a new one."""
        key = (work, args, tenancy.current())
        one = self._running.get(key)
        if one is None or one.stamp < waiter.stamp:
            one = self._running[key] = _Read(hub().stamp)
            one.task = asyncio.create_task(self._run(one, key, work, args))
        return one

    async def _run(self, one: _Read, key: Hashable, work: Callable[..., Any], args: tuple[Hashable, ...]) -> None:
        try:
            one.found = await in_database(work, *args)
        except Exception as error:  # noqa: BLE001 (handed to whoever waits)
            one.failure = error
        one.is_done = True
        for sleeper in one.waiting:
            wake(sleeper)
        await asyncio.sleep(0)  # they go on now, and find it done
        if self._running.get(key) is one:
            del self._running[key]
