"""Following a log: read after a place, wait for a wake-up, repeat. Nothing is held while it waits."""

import asyncio
import logging
import uuid
import weakref
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence

from django.db import InterfaceError, OperationalError

from apps.core.db import in_database
from apps.core.waiter import Waiter, WakeUp
from apps.core.wakeups import hub
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.log.entries import Cursor, LogEvent
from apps.tasks.log.reading import Page, now_cursor, task_page, workspace_page
from apps.tasks.log.shared import SharedReads
from apps.tasks.log.sweep import POLL_SECONDS, Sweep

log = logging.getLogger(__name__)

CATCH_UP_SECONDS = 0.02
DATABASE_AWAY_SECONDS = 1.0
AWAY = Page((), is_whole=False, resume=Cursor(0))


class Desk:
    """What the readers of one event loop share."""

    def __init__(self) -> None:
        self.reads = SharedReads()
        self.sweep = Sweep()


_desks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Desk] = weakref.WeakKeyDictionary()


def _desk() -> Desk:
    return _desks.setdefault(asyncio.get_running_loop(), Desk())


class Silence:
    """How long a reader's consumer has been given nothing."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.end()

    def end(self) -> None:
        """Something was given just now."""
        self._until = asyncio.get_running_loop().time() + self._seconds

    @property
    def left(self) -> float:
        """Seconds until it is time to give an empty page."""
        return max(0.0, self._until - asyncio.get_running_loop().time())


class Batch(list[LogEvent]):
    """A page for the consumer; `resume` is the place after it, worth remembering even when the page is empty."""

    def __init__(self, events: Sequence[LogEvent], resume: Cursor) -> None:
        super().__init__(events)
        self.resume = resume


async def follow(
    task_id: uuid.UUID, after_seq: int = 0, *, idle_seconds: float = POLL_SECONDS
) -> AsyncGenerator[list[LogEvent]]:
    """Pages of a task's log after `after_seq` until its terminal event; an empty one per `idle_seconds` of
    silence.

    Rides out a database that is away. Close it (`contextlib.aclosing`) when you leave before its end.
    """
    desk, silence = _desk(), Silence(idle_seconds)
    with hub().waiting(f"task:{task_id}") as waiter, desk.sweep.over_task(task_id, after_seq) as place:
        page = AWAY
        while True:
            if not page.is_whole or any(map(place.is_behind, waiter.take())):
                page = await _read(desk, waiter, task_page, task_id, place.seq)
                if page.events:
                    place.seq = page.events[-1].seq
                    yield list(page.events)
                    silence.end()
                if page.is_over is None:
                    raise TaskNotFoundError("There is no such task any more.")
                if page.is_over:
                    return
            if page.is_whole:
                await desk.reads.rest(waiter, silence.left, place.is_behind, task_page, task_id, place.seq)
            if not silence.left:
                yield []
                silence.end()


async def follow_workspace(
    workspace_id: uuid.UUID,
    after: Cursor | None = None,
    *,
    codebase_id: str = "",
    idle_seconds: float = POLL_SECONDS,
) -> AsyncGenerator[Batch]:
    """Pages of a workspace's events after a cursor (default: from now on), for ever; empty pages mark
    silence.

    Rides out a database that is away. Close it (`contextlib.aclosing`) when you leave.
    """
    desk, silence = _desk(), Silence(idle_seconds)
    topic = f"codebase:{codebase_id}" if codebase_id else f"workspace:{workspace_id}"
    with hub().waiting(topic) as waiter, desk.sweep.over_workspace(workspace_id):
        await desk.sweep.begin(workspace_id)
        cursor = await in_database(now_cursor) if after is None else after
        page, pause = AWAY, CATCH_UP_SECONDS
        while True:
            if not page.is_whole or page.is_held_back or waiter.take():
                page = await _read(desk, waiter, workspace_page, workspace_id, cursor, codebase_id)
                cursor = max(cursor, page.resume)
                if page.events:
                    yield Batch(page.events, cursor)
                    silence.end()
            if page.is_held_back:
                pause = await _catch_up(waiter, page, pause)
            elif page.is_whole:
                await desk.reads.rest(waiter, silence.left, _any, workspace_page, workspace_id, cursor, codebase_id)
            if not silence.left:
                yield Batch([], cursor)
                silence.end()


async def _read(desk: Desk, waiter: Waiter, work: Callable[..., Page], *args: Hashable) -> Page:
    """The page; an empty one that asks to be read again, after a pause, while the database is away."""
    try:
        return await desk.reads.read(waiter, work, *args)
    except (OperationalError, InterfaceError) as error:
        log.warning("a reader of the log found no database and tries again: %s", type(error).__name__)
        await asyncio.sleep(DATABASE_AWAY_SECONDS)
        return AWAY


def _any(hint: WakeUp) -> bool:
    """A reader of many tasks wants to know of every one."""
    return True


async def _catch_up(waiter: Waiter, page: Page, pause: float) -> float:
    """Wait while an older transaction holds events back: longer each time in vain, anew after each hint."""
    await asyncio.sleep(CATCH_UP_SECONDS)
    await waiter.rest(pause)
    is_news = bool(page.events or waiter.take())
    return CATCH_UP_SECONDS if is_news else min(2 * pause, POLL_SECONDS)
