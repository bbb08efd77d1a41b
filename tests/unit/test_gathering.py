"""What many ask at once is looked up together, and never by a look that began before they asked."""

import asyncio
import threading
from collections.abc import Collection

import pytest

from apps.core.gathering import Gathering

pytestmark = pytest.mark.asyncio


class Shelf:
    """Answers each key with itself and the number of the look; waits in a look until it may go on."""

    def __init__(self) -> None:
        self.looks: list[list[str]] = []
        self.may_end = threading.Event()
        self.begun = threading.Event()

    def look_up(self, keys: Collection[str]) -> dict[str, str]:
        self.looks.append(sorted(keys))
        number = len(self.looks)
        self.begun.set()
        assert self.may_end.wait(10)
        return {key: f"{key}{number}" for key in keys if key != "missing"}


async def test_those_who_ask_during_a_look_are_served_together_by_the_next() -> None:
    shelf = Shelf()
    gathering = Gathering(shelf.look_up)
    first = asyncio.create_task(gathering.get("a"))
    await asyncio.to_thread(shelf.begun.wait, 10)
    others = [asyncio.create_task(gathering.get(key)) for key in ("a", "b", "a", "missing")]
    await asyncio.sleep(0)
    shelf.may_end.set()
    assert await first == "a1"
    assert await asyncio.gather(*others) == ["a2", "b2", "a2", None]
    assert shelf.looks == [["a"], ["a", "b", "missing"]]


async def test_a_slow_look_keeps_nobody_but_those_who_asked_for_it() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def look_up(keys: Collection[str]) -> dict[str, str]:
        if "slow" in keys:
            begun.set()
            assert may_end.wait(10)
        return dict.fromkeys(keys, "found")

    gathering = Gathering(look_up)
    slow = asyncio.create_task(gathering.get("slow"))
    await asyncio.to_thread(begun.wait, 10)
    assert await gathering.get("quick") == "found"
    assert not slow.done()
    may_end.set()
    assert await slow == "found"


async def test_a_failed_look_fails_those_who_asked_for_it_and_nobody_else() -> None:
    refusals = iter([ValueError("no"), None])

    def look_up(keys: Collection[str]) -> dict[str, str]:
        if refusal := next(refusals):
            raise refusal
        return dict.fromkeys(keys, "found")

    gathering = Gathering(look_up)
    failed = await asyncio.gather(gathering.get("a"), gathering.get("b"), return_exceptions=True)
    assert [type(one) for one in failed] == [ValueError, ValueError]
    assert await gathering.get("a") == "found"


async def test_who_has_gone_keeps_nobody_from_an_answer() -> None:
    shelf = Shelf()
    gathering = Gathering(shelf.look_up)
    gone, stays = asyncio.create_task(gathering.get("a")), asyncio.create_task(gathering.get("a"))
    await asyncio.to_thread(shelf.begun.wait, 10)
    gone.cancel()
    shelf.may_end.set()
    assert await stays == "a1"
