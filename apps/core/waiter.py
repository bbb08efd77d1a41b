"""What a wake-up says, and the mailbox of one who waits for some."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

ACCESS = "access"


class WakeUp(NamedTuple):
    """`task` grew to `seq`. `queue` is set when it became claimable; `worker` when its holder should look.

    Without a task it tells that somebody's right to come in has changed. A tuple, because it also is what goes through
    Redis; for processes of the version before its fields stay as they are.
    """

    workspace: str
    task: str
    seq: int
    codebase: str = ""
    queue: str = ""
    worker: str = ""

    @classmethod
    def of_access(cls) -> "WakeUp":
        """Somebody may do more or less than before."""
        return cls("", "", 0)

    def topics(self) -> Iterator[str]:
        """The names under which waiters listen: one task, one codebase, everything in a workspace, or ACCESS."""
        if not self.task:
            yield ACCESS
            return
        yield f"task:{self.task}"
        yield f"workspace:{self.workspace}"
        if self.codebase:
            yield f"codebase:{self.codebase}"


class Waiter:
    """One listener's mailbox: filled by wake-ups, emptied by whoever waits. It keeps hints, not facts:
    bounded.

    `stamp` is the hub's count at the last hint: what began to be read at that count or later has seen its
    event.
    """

    LIMIT = 512
    __slots__ = ("_hints", "_rouse", "_sleeper", "_timer", "_until", "stamp")

    def __init__(self, stamp: int) -> None:
        self.stamp = stamp
        self._hints: list[WakeUp] = []
        self._sleeper: asyncio.Future[None] | None = None
        self._rouse: Rouse = _at_once
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0

    def put(self, wakeup: WakeUp, stamp: int) -> None:
        self.stamp = stamp
        if len(self._hints) >= self.LIMIT:
            del self._hints[: self.LIMIT // 2]  # the newest say the most
        self._hints.append(wakeup)
        if self._sleeper is not None:
            self._rouse(wakeup, self._sleeper)

    async def wait(self, seconds: float) -> list[WakeUp]:
        """The hints since the last call; an empty list after `seconds` without any."""
        await self.rest(seconds)
        return self.take()

    async def rest(self, seconds: float, rouse: "Rouse | None" = None) -> None:
        """Until there are hints (there may be already), or `seconds` have passed.

        With `rouse`, whoever rests is not woken by a hint: `rouse(hint, sleeper)` sees to it, at once, later or never.
        """
        if not self._hints and seconds > 0:
            self._rouse = rouse or _at_once
            await self._sleep(seconds)

    def take(self) -> list[WakeUp]:
        """The hints since the last call, without waiting."""
        hints, self._hints = self._hints, []
        return hints

    async def _sleep(self, seconds: float) -> None:
        """A future and a timer: a twentieth of what an Event with a timeout costs an idle stream.

        Whoever was woken leaves its timer running for its next sleep, which ends later: then it is only set anew.
        """
        loop = asyncio.get_running_loop()
        self._until = loop.time() + seconds
        if self._timer is None or self._timer.when() > self._until:
            self.close()
            self._timer = loop.call_later(seconds, self._ring)
        self._sleeper = sleeper = loop.create_future()
        try:
            await sleeper
        finally:
            self._sleeper = None

    def _ring(self) -> None:
        self._timer = None
        if self._sleeper is None:
            return
        loop = self._sleeper.get_loop()
        left = self._until - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._ring)
        else:
            wake(self._sleeper)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


Rouse = Callable[[WakeUp, asyncio.Future[None]], None]


def wake(sleeper: asyncio.Future[None]) -> None:
    """Let whoever awaits `sleeper` go on, if it still sleeps."""
    if not sleeper.done():
        sleeper.set_result(None)


def _at_once(hint: WakeUp, sleeper: asyncio.Future[None]) -> None:
    wake(sleeper)
