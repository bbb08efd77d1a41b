"""A caller's streams over several processes: so many together, exactly; and what a killed process held comes free."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from redis import Redis

from apps.accounts import stream_places
from apps.accounts.stream_places import Places


class Process:
    """What a process does, as far as places are concerned."""

    def __init__(self, url: str = "") -> None:
        self.opened: Counter[str] = Counter()
        self.places = Places(url or settings.REDIS_URL, self.opened, Counter())

    def open(self, most: int) -> bool:
        """Open a stream of Ada's, of whom there may be `most`."""
        is_open = self.places.take_soon("ada", self.opened["ada"] + 1, most).result()
        self.opened["ada"] += is_open
        return is_open

    def close(self, most: int) -> None:
        self.opened["ada"] -= 1
        self.opened += Counter()
        self.places.left("ada", most)
        self.places.take_soon("nobody", 0, most).result()  # after what it had to do before


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_places, "PREFIX", f"test-streams-{uuid.uuid4().hex}")


def opened_by(processes: list[Process], most: int, tries: int) -> int:
    """How many streams are let in when all processes try at once."""
    with ThreadPoolExecutor(len(processes)) as threads:
        each = threads.map(lambda process: sum(process.open(most) for _ in range(tries)), processes)
        return sum(each)


def test_no_more_than_the_limit_are_open_in_all_processes_together() -> None:
    processes = [Process() for _ in range(4)]
    assert opened_by(processes, 10, 10) == 10
    assert [process.open(10) for process in processes] == [False] * 4


def test_what_was_taken_ahead_never_exceeds_the_limit_and_costs_the_others_little() -> None:
    processes = [Process() for _ in range(3)]
    assert 390 <= opened_by(processes, 400, 300) <= 400


def test_a_place_that_is_given_back_is_another_processs() -> None:
    one, other = Process(), Process()
    assert (one.open(1), other.open(1)) == (True, False)
    one.close(1)
    assert other.open(1)


def test_what_a_killed_process_held_comes_free_and_that_of_a_living_one_does_not() -> None:
    killed, living, new = Process(), Process(), Process()
    assert killed.open(2)
    assert living.open(2)
    Redis.from_url(settings.REDIS_URL).delete(f"{stream_places.PREFIX}:process:{killed.places._process}")  # it lapsed
    living.places.renew_soon().result()
    assert (new.open(2), new.open(2)) == (True, False)


def test_most_streams_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    process, asked = Process(), []
    take = process.places._take

    def counted(**given: Any) -> Any:
        asked.append(given)
        return take(**given)

    monkeypatch.setattr(process.places, "_take", counted)
    assert all(process.open(5000) for _ in range(100))
    assert len(asked) == 1


def test_a_process_counts_by_itself_while_redis_is_away_and_tells_when_it_is_back() -> None:
    alone, other = Process("redis://127.0.0.1:1/0"), Process()
    assert (alone.open(1), alone.open(1)) == (True, False)
    alone.places._redis = Redis.from_url(settings.REDIS_URL)
    alone.places.renew_soon().result()
    assert not other.open(1)
