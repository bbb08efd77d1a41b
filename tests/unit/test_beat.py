"""How the clock, Celery's beat, ends: whenever it is asked to, with its schedule written once."""

import os
import signal
from collections.abc import Iterator
from threading import Timer, get_ident
from typing import Any

import pytest
from celery.beat import Service

from codetether.celery import app


class Schedule:
    """A scheduler that writes down what happens, and is asked to end in its first tick or after it."""

    info, max_interval = "", 1

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.seen: list[str] = []

    def tick(self) -> float:
        if self.pause:
            Timer(0.05, signal.pthread_kill, (get_ident(), signal.SIGTERM)).start()
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        self.seen.append("ticked")
        return self.pause

    def should_sync(self) -> bool:
        return False

    def close(self) -> None:
        self.seen.append("written")


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def service(schedule: Schedule) -> Any:
    made = Service(app)
    made.scheduler = schedule
    return made


def test_a_tick_is_ended_before_the_schedule_is_written() -> None:
    """In its midst the connection's lock is held, by the very thread that would have to wait for it."""
    schedule = Schedule(0.0)
    service(schedule).start()
    assert schedule.seen == ["ticked", "written"]


def test_its_sleep_is_cut_short() -> None:
    schedule = Schedule(100.0)
    service(schedule).start()
    assert schedule.seen == ["ticked", "written"]
