"""Threads for async code: in the caller's context, never more than allowed, nothing lost at the end."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator

import pytest

from apps.core.threads import Threads

Make = Callable[..., Threads]


@pytest.fixture
def ended() -> list[str]:
    """The names of the threads that have ended."""
    return []


@pytest.fixture
def threads(ended: list[str]) -> Iterator[Make]:
    made: list[Threads] = []

    def make(most: int = 2) -> Threads:
        made.append(Threads(most, "hand", lambda: ended.append(threading.current_thread().name)))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Door:
    """Work that waits until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.entered.release()
        assert self.opened.wait(10)
        return threading.current_thread().name


@pytest.mark.asyncio
async def test_work_runs_in_the_callers_context_on_a_thread_of_its_own(threads: Make) -> None:
    name = contextvars.ContextVar("name", default="nobody")
    name.set("Ada")

    found = await threads().run(lambda: (name.get(), threading.current_thread().name))

    assert found == ("Ada", "hand-0")


@pytest.mark.asyncio
async def test_an_error_reaches_who_waits_and_the_thread_goes_on(threads: Make) -> None:
    pool = threads(1)

    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)

    assert await pool.run(lambda: "still here") == "still here"


@pytest.mark.asyncio
async def test_the_thread_that_rested_last_is_taken_first(threads: Make) -> None:
    pool, door = threads(3), Door()
    both = [asyncio.create_task(pool.run(door)) for _ in range(2)]
    await asyncio.sleep(0)
    door.opened.set()
    await asyncio.gather(*both)

    used = {await pool.run(lambda: threading.current_thread().name) for _ in range(5)}

    assert len(used) == 1


@pytest.mark.asyncio
async def test_no_more_than_allowed_run_at_once_and_the_others_come_in_turn(threads: Make) -> None:
    pool, door, order = threads(2), Door(), list[int]()
    held = [asyncio.create_task(pool.run(door)) for _ in range(2)]
    later = [asyncio.create_task(pool.run(lambda number=number: order.append(number))) for number in range(3)]
    await asyncio.sleep(0)
    for _ in held:
        assert door.entered.acquire(timeout=10)
    assert order == []

    door.opened.set()
    await asyncio.gather(*held, *later)

    assert sorted(order) == [0, 1, 2]
    assert {await one for one in held} == {"hand-0", "hand-1"}


@pytest.mark.asyncio
async def test_what_is_given_up_before_its_turn_is_never_done(threads: Make) -> None:
    pool, door, done = threads(1), Door(), list[str]()
    held = asyncio.create_task(pool.run(door))
    given_up = asyncio.create_task(pool.run(lambda: done.append("given up")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])

    door.opened.set()
    await held
    await pool.run(lambda: done.append("wanted"))

    assert done == ["wanted"]


@pytest.mark.asyncio
async def test_closing_lets_what_was_given_end_and_each_thread_say_goodbye(threads: Make, ended: list[str]) -> None:
    pool, door = threads(1), Door()
    waiting = [asyncio.create_task(pool.run(door)) for _ in range(2)]
    await asyncio.sleep(0)
    closing = threading.Thread(target=pool.close)
    closing.start()

    door.opened.set()
    assert await asyncio.gather(*waiting) == ["hand-0", "hand-0"]
    await asyncio.to_thread(closing.join)

    assert ended == ["hand-0"]
    with pytest.raises(RuntimeError, match="ended"):
        await pool.run(lambda: None)


def test_a_loop_that_ends_before_its_work_costs_no_thread(threads: Make) -> None:
    pool, door = threads(1), Door()

    async def leave() -> None:
        left = asyncio.create_task(pool.run(door))
        await asyncio.to_thread(door.entered.acquire)
        assert not left.done()

    asyncio.run(leave())
    door.opened.set()

    assert asyncio.run(pool.run(lambda: "next")) == "next"


@pytest.mark.asyncio
async def test_a_thread_that_could_not_begin_is_not_waited_for(threads: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = threads(1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            await pool.run(lambda: None)

    async with asyncio.timeout(10):
        assert await pool.run(lambda: "here") == "here"
