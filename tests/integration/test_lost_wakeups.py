"""A wake-up gets lost: a reader goes on from where it is, and not from what the next hint speaks of."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from apps.core import wakeups
from apps.core.db import in_database
from apps.core.waiter import WakeUp
from apps.core.wakeups import hub
from apps.tasks import log
from apps.tasks.log import sweep
from apps.tasks.services import announce
from tests.factories import Cast
from tests.integration.test_log_following import NEVER, said, speak, until

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture(autouse=True)
async def _hub_closes() -> AsyncIterator[None]:
    yield
    await hub().close()


def lose(monkeypatch: pytest.MonkeyPatch, is_lost: Callable[[WakeUp], bool]) -> None:
    """Wake-ups that are lost reach nobody, in this process or another."""

    def publish(wakeup: WakeUp) -> None:
        if not is_lost(wakeup):
            wakeups.publish(wakeup)

    monkeypatch.setattr(announce, "publish", publish)


async def test_wakeup_after_a_lost_one_brings_the_events_of_both(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, lambda wakeup: wakeup.seq == 2)
    monkeypatch.setattr(sweep, "POLL_SECONDS", NEVER)
    task = await in_database(cast.task)
    pages = log.follow(task.id, idle_seconds=NEVER)
    assert [event.kind for event in await anext(pages)] == ["created"]
    reader = asyncio.create_task(until(pages, lambda seen: said(seen)[-1:] == ["b"]))
    for text in "ab":
        await speak(cast, task, text)
    assert [event.seq for event in await reader] == [2, 3]


async def test_event_whose_wakeup_was_lost_is_found_by_the_poll(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, lambda wakeup: wakeup.seq > 1)
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0.05)
    task = await in_database(cast.task)
    pages = log.follow(task.id, idle_seconds=NEVER)
    assert [event.kind for event in await anext(pages)] == ["created"]
    reader = asyncio.create_task(until(pages, lambda seen: bool(said(seen))))
    await speak(cast, task, "a")
    assert said(await reader) == ["a"]


async def test_workspaces_reader_finds_by_the_poll_what_no_wakeup_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(monkeypatch, lambda wakeup: wakeup.seq > 1)
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0.05)
    task = await in_database(cast.task)
    pages = log.follow_workspace(cast.workspace.id, log.Cursor(0), idle_seconds=NEVER)
    assert [event.kind for event in await anext(pages)] == ["created"]
    reader = asyncio.create_task(until(pages, lambda seen: bool(said(seen))))
    await speak(cast, task, "a")
    assert said(await reader) == ["a"]
