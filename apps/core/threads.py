"""A bounded pool of threads for async code, at a third of what the loop's own executor costs (docs/decisions/0025).

There each call makes two futures, a lock for each, and wakes any of the threads. Here work goes into the mailbox of the
thread that came to rest last, whose connection and caches are warm, and what comes of it straight back to the loop.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any


class _Job[T]:
    """A call that somebody awaits."""

    __slots__ = ("answer", "context", "loop", "work")

    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.context = contextvars.copy_context()
        self.loop = loop
        self.answer: asyncio.Future[T] = loop.create_future()

    def do(self) -> Callable[[], None]:
        """On the thread: the work, but for who does not wait any more. Gives how to tell what came of it."""
        if self.answer.cancelled():
            return _nothing
        try:
            found = self.context.run(self.work)
        except BaseException as error:  # noqa: BLE001 (handed to whoever waits)
            return partial(self._tell, self._fail, error)
        return partial(self._tell, self._end, found)

    def _tell(self, how: Callable[[Any], None], what: object) -> None:
        try:
            self.loop.call_soon_threadsafe(how, what)
        except RuntimeError:
            if not self.loop.is_closed():  # then nobody waits any more
                raise

    def _end(self, found: T) -> None:
        if not self.answer.done():
            self.answer.set_result(found)

    def _fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def _nothing() -> None:
    """There is nobody to tell, nothing to end."""


class _Hand(threading.Thread):
    """One of the threads, with its mailbox; None in it is the end."""

    def __init__(self, threads: "Threads", name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.threads = threads
        self.mailbox: SimpleQueue[_Job[Any] | None] = SimpleQueue()

    def run(self) -> None:
        try:
            while (job := self.mailbox.get()) is not None:
                while job is not None:
                    job = self._done(job)
        finally:
            self.threads.at_end()

    def _done(self, job: _Job[Any]) -> _Job[Any] | None:
        """Do it; gives the next one. Nothing of it is kept while the thread rests."""
        tell, after = job.do(), self.threads.next_for(self)
        tell()  # at rest already, so who goes on with another call finds this thread again
        return after


class Threads:
    """At most `most` threads, begun when they are needed; each calls `at_end` when it ends."""

    def __init__(self, most: int, name: str, at_end: Callable[[], None] = _nothing) -> None:
        self.most = most
        self.name = name
        self.at_end = at_end
        self._lock = threading.Lock()
        self._hands: list[_Hand] = []
        self._idle: list[_Hand] = []
        self._waiting: deque[_Job[Any]] = deque()
        self._closed = False

    async def run[T](self, work: Callable[[], T]) -> T:
        """`work()` on one of the threads, in the caller's context; in turn where all are busy."""
        job = _Job(work, asyncio.get_running_loop())
        self._give(job)
        return await job.answer

    def _give(self, job: _Job[Any]) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("These threads have ended.")
            if not self._idle and len(self._hands) == self.most:
                self._waiting.append(job)
                return
            hand = self._idle.pop() if self._idle else self._begun()
        hand.mailbox.put(job)

    def _begun(self) -> _Hand:
        hand = _Hand(self, f"{self.name}-{len(self._hands)}")
        hand.start()  # where the system has no thread left, there is no hand that work could wait for
        self._hands.append(hand)
        return hand

    def next_for(self, hand: _Hand) -> _Job[Any] | None:
        """What waits; else the hand rests, and finds its next work in its mailbox."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                hand.mailbox.put(None)
            else:
                self._idle.append(hand)
            return None

    def close(self) -> None:
        """Let what was given be done, and the threads end."""
        with self._lock:
            self._closed = True
            for hand in self._idle:
                hand.mailbox.put(None)
            self._idle.clear()
        for hand in self._hands:
            hand.join()
