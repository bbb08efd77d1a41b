"""Following a log: what is written reaches every reader, whether or not a wake-up does."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from django.db import OperationalError, connection

from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.tasks import log
from apps.tasks.errors import TaskNotFoundError
from apps.tasks.log import following, reading, sweep
from apps.tasks.models import Task
from apps.tasks.services import Outcome, announce, task_cancel, task_finish, task_message
from apps.tasks.states import State
from tests.factories import Cast
from tests.integration.test_log_reading import append_by_hand

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

DEADLINE = 10.0
NEVER = 60.0


@pytest_asyncio.fixture(autouse=True)
async def _hub_closes() -> AsyncIterator[None]:
    yield
    await hub().close()


@pytest.fixture
def wakeups_get_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Redis were away and the writer another process."""
    monkeypatch.setattr(announce, "publish", lambda wakeup: None)
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0.05)


async def until(pages: AsyncGenerator[Any], enough: Callable[[list[log.LogEvent]], bool]) -> list[log.LogEvent]:
    """The events that come until there are `enough`."""
    seen: list[log.LogEvent] = []
    async with asyncio.timeout(DEADLINE), aclosing(pages):
        async for page in pages:
            seen.extend(page)
            if enough(seen):
                break
    return seen


def said(events: list[log.LogEvent]) -> list[str]:
    return [event.data["message"] for event in events if event.kind == "message"]


async def speak(cast: Cast, task: Task, text: str) -> None:
    await in_database(task_message, workspace_id=cast.workspace.id, task_id=task.id, message=text, by="ada")


async def test_follower_gets_old_and_new_and_ends_with_the_task(cast: Cast) -> None:
    claim = await in_database(cast.held)
    reader = asyncio.create_task(until(log.follow(claim.task_id, idle_seconds=NEVER), lambda _: False))
    await in_database(task_finish, claim=claim, outcome=Outcome(status=State.COMPLETED, result="done"))
    assert [event.kind for event in await reader] == ["created", "claimed", "completed"]


async def test_follower_that_begins_at_the_end_of_an_ended_task_ends(cast: Cast) -> None:
    task = await in_database(cast.task)
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    assert await until(log.follow(task.id, 2, idle_seconds=NEVER), lambda _: False) == []


async def test_silence_is_marked_by_empty_pages(cast: Cast) -> None:
    task = await in_database(cast.task)
    pages = log.follow(task.id, 1, idle_seconds=0.01)
    async with aclosing(pages):
        assert [await anext(pages), await anext(pages)] == [[], []]
    everything = log.follow_workspace(cast.workspace.id, idle_seconds=0.01)
    async with aclosing(everything):
        page = await anext(everything)
    assert page == []
    assert page.resume.position > 0


async def test_lost_wakeups_cost_only_time(cast: Cast, wakeups_get_lost: None) -> None:
    task = await in_database(cast.task)
    one = asyncio.create_task(until(log.follow(task.id, 1, idle_seconds=NEVER), lambda seen: len(seen) == 2))
    everything = log.follow_workspace(cast.workspace.id, log.Cursor(0), idle_seconds=NEVER)
    all_of_them = asyncio.create_task(until(everything, lambda seen: said(seen) == ["a", "b"]))
    for text in "ab":
        await speak(cast, task, text)
    assert said(await one) == ["a", "b"]
    assert said(await all_of_them) == ["a", "b"]


async def test_codebases_reader_hears_of_its_codebase_only(cast: Cast) -> None:
    shop, till = await in_database(cast.codebase, "shop"), await in_database(cast.codebase, "till")
    pages = log.follow_workspace(cast.workspace.id, log.Cursor(0), codebase_id=shop.id, idle_seconds=NEVER)
    reader = asyncio.create_task(until(pages, lambda seen: len(seen) == 2))
    for title, codebase in (("a", shop), ("x", till), ("b", shop)):
        await in_database(cast.task, title, codebase_id=codebase.id)
    assert [event.data["title"] for event in await reader] == ["a", "b"]


async def test_slow_transaction_delays_and_hides_nothing(cast: Cast) -> None:
    slow_task, quick_task = await in_database(cast.task, "slow"), await in_database(cast.task, "quick")
    reader = asyncio.create_task(
        until(log.follow_workspace(cast.workspace.id, log.Cursor(0), idle_seconds=NEVER), lambda s: len(said(s)) == 2)
    )
    parameters: Any = connection.get_connection_params() | {"autocommit": False}
    with psycopg.connect(**parameters) as slow:
        await asyncio.to_thread(append_by_hand, slow, slow_task.id)
        await speak(cast, quick_task, "quick")
        held = await in_database(reading.workspace_page, cast.workspace.id, log.Cursor(0))
        assert held.is_held_back
        await asyncio.to_thread(slow.commit)
    assert said(await reader) == ["slow", "quick"]


async def test_a_thousand_readers_at_one_place_cost_few_reads(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await in_database(cast.task)
    reads: list[int] = []

    def counted(task_id: uuid.UUID, seq: int) -> reading.Page:
        reads.append(seq)
        return reading.task_page(task_id, seq)

    monkeypatch.setattr(following, "task_page", counted)
    readers = [
        asyncio.create_task(until(log.follow(task.id, 1, idle_seconds=NEVER), lambda seen: len(seen) == 1))
        for _ in range(1000)
    ]
    await asyncio.sleep(0)
    await speak(cast, task, "a")
    assert all(said(seen) == ["a"] for seen in await asyncio.gather(*readers))
    assert len(reads) <= 3


async def test_reader_that_leaves_takes_nobody_elses_read_along(cast: Cast) -> None:
    task = await in_database(cast.task)
    leaver, stayer = (
        asyncio.create_task(until(log.follow(task.id, idle_seconds=NEVER), lambda seen: len(seen) == 1))
        for _ in range(2)
    )
    await asyncio.sleep(0)
    leaver.cancel()
    assert [event.kind for event in await stayer] == ["created"]


async def test_reader_rides_out_a_database_that_is_away(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await in_database(cast.task)
    outages = iter([OperationalError("gone"), OperationalError("gone")])

    def flaky(task_id: uuid.UUID, seq: int) -> reading.Page:
        for error in outages:
            raise error
        return reading.task_page(task_id, seq)

    monkeypatch.setattr(following, "task_page", flaky)
    monkeypatch.setattr(following, "DATABASE_AWAY_SECONDS", 0.01)
    assert len(await until(log.follow(task.id, idle_seconds=NEVER), lambda seen: len(seen) == 1)) == 1


async def test_reader_of_a_task_that_is_gone_is_told(cast: Cast, wakeups_get_lost: None) -> None:
    task = await in_database(cast.task)
    reader = asyncio.create_task(until(log.follow(task.id, 1, idle_seconds=NEVER), lambda _: False))
    await in_database(Task.objects.all().delete)
    with pytest.raises(TaskNotFoundError):
        await reader


async def test_leaving_a_reader_leaves_nothing_behind(cast: Cast) -> None:
    task = await in_database(cast.task)
    await until(log.follow(task.id), lambda seen: True)
    await until(log.follow_workspace(cast.workspace.id, log.Cursor(0)), lambda seen: True)
    assert not hub()._waiters
    assert not following._desk().sweep._places
    assert not following._desk().sweep._readers
