"""Answering many callers at once: what is asked while a look is under way is looked up together by the next one.

One hop of the thread pool and one round trip to the database then serve all who ask at the same time, and none gets
an answer that is older than its question.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from weakref import WeakKeyDictionary

from apps.core import tenancy
from apps.core.db import in_database
from apps.core.tenancy import Acting, acting, together

PATIENCE_SECONDS = 0.05
"""So long the next round waits for the one under way."""
SLOW_ROUNDS = 3
"""So many slower ones may be under way beside it, since each holds a database thread."""


class Gathering[K: Hashable, V]:
    """`look_up` gets the keys of one round, on a database thread, and gives what it found: keys may be missing."""

    def __init__(self, look_up: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._look_up = look_up
        self._rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, _Rounds[K, V]] = WeakKeyDictionary()

    async def get(self, key: K) -> V | None:
        """What was found for the key by a look that began after this call; None where there was nothing."""
        loop = asyncio.get_running_loop()
        rounds = self._rounds.get(loop)
        if rounds is None:
            rounds = self._rounds[loop] = _Rounds(self._look_up)
        return await rounds.get(key)


class _Rounds[K: Hashable, V]:
    """The rounds of one event loop. One gathers while one is under way; a slow one does not keep the others."""

    def __init__(self, look_up: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._look_up = look_up
        self._asked: dict[K, list[asyncio.Future[V | None]]] = {}
        self._askers: set[Acting] = set()
        self._quick: asyncio.Task[None] | None = None
        self._slow: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        self._askers.add(tenancy.current())
        if self._quick is None:
            self._begin()
        return await answer

    def _begin(self) -> None:
        self._quick = running = asyncio.create_task(self._run())
        running.add_done_callback(self._ended)
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._pass_by, running)

    def _pass_by(self, running: "asyncio.Task[None]") -> None:
        """Let those who have asked since go on without waiting for this round any longer."""
        if running is self._quick and len(self._slow) < SLOW_ROUNDS:
            self._slow.add(running)
            self._go_on()

    def _ended(self, running: "asyncio.Task[None]") -> None:
        self._slow.discard(running)
        if running is self._quick:
            self._go_on()

    def _go_on(self) -> None:
        self._quick = None
        if self._asked:
            self._begin()

    async def _run(self) -> None:
        asked, self._asked = self._asked, {}  # with all who have asked in the same turn of the loop
        askers, self._askers = self._askers, set()
        try:
            with acting(together(askers)):
                found: Mapping[K, V] = await in_database(self._look_up, list(asked))
        except Exception as error:  # noqa: BLE001 (handed on to everyone who asked)
            for answer in _open(asked):
                answer.set_exception(error)
        else:
            for key, answers in asked.items():
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found.get(key))


def _open[K, V](asked: Mapping[K, list[asyncio.Future[V | None]]]) -> list[asyncio.Future[V | None]]:
    """Who still waits."""
    return [answer for answers in asked.values() for answer in answers if not answer.done()]
