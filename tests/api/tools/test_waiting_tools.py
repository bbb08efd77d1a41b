"""Waiting in a tool: for the answer to a message, and for news of a task. Meanwhile nothing is held."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings

from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, Principal, authenticate
from apps.core.db import in_database
from apps.core.wakeups import hub
from apps.mcp.caller import calling
from tests.api.a2a.client import Hand
from tests.api.tools.conftest import BASE_URL, SERVER, text_of
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
Json = dict[str, Any]


class AsyncCaller:
    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def call(self, name: str, /, **arguments: Any) -> Json:
        with calling(self.principal, BASE_URL):
            result = await SERVER.call_tool(name, arguments)
        assert not result.is_error, text_of(result)
        structured: Json = result.structured_content or {}
        return structured


@pytest_asyncio.fixture
async def ada(transactional_db: None, cast: Cast) -> AsyncIterator[AsyncCaller]:
    token = await in_database(cast.token, Role.OPERATOR)
    yield AsyncCaller(await in_database(authenticate, Credentials(f"Bearer {token}")))
    await hub().close()


@pytest_asyncio.fixture
async def hand(ada: AsyncCaller, cast: Cast) -> Hand:
    return Hand(cast)


async def test_a_message_waits_for_the_answer_and_the_question(ada: AsyncCaller, hand: Hand) -> None:
    sending = asyncio.create_task(ada.call("send_message", message="Paint it"))
    await hand.ask(await hand.take(), "Which colour?")
    asked = await sending
    assert (asked["settled"], asked["status"], asked["response"]) == (True, "input_required", None)
    assert asked["question"]["question"] == "Which colour?"
    answering = asyncio.create_task(ada.call("send_message", message="Red", task_id=asked["task_id"]))
    await hand.finish(await hand.take(), "painted")
    done = await answering
    assert (done["settled"], done["status"], done["response"]) == (True, "completed", "painted")


async def test_an_answer_given_again_for_a_key_is_waited_for_again(ada: AsyncCaller, hand: Hand) -> None:
    first = await ada.call("send_message", message="Paint it", idempotency_key="k", wait_seconds=0.01)
    await hand.finish(await hand.take(), "painted")
    again = await ada.call("send_message", message="Paint it", idempotency_key="k")
    assert (first["settled"], again["settled"], again["response"]) == (False, True, "painted")
    assert again["task_id"] == first["task_id"]


async def test_updates_wait_for_news_and_hold_no_thread(ada: AsyncCaller, hand: Hand) -> None:
    sent = await ada.call("send_message_async", message="Paint it")
    following = [
        asyncio.create_task(ada.call("get_task_updates", task_id=sent["task_id"], after_seq=1, wait_seconds=20))
        for _ in range(settings.DATABASE_THREADS + 5)
    ]
    await hand.take()
    for page in await asyncio.gather(*following):
        assert [event["kind"] for event in page["events"]] == ["claimed"]


async def test_waiting_ends_in_time_and_at_once_where_nothing_can_come(ada: AsyncCaller, hand: Hand) -> None:
    sent = await ada.call("send_message_async", message="Paint it")
    page = await ada.call("get_task_updates", task_id=sent["task_id"], after_seq=1, wait_seconds=0.05)
    assert (page["events"], page["ended"]) == ([], False)
    await hand.finish(await hand.take(), "painted")
    begun = time.monotonic()
    page = await ada.call("get_task_updates", task_id=sent["task_id"], after_seq=3, wait_seconds=20)
    assert (page["events"], page["ended"]) == ([], True)
    assert time.monotonic() - begun < 10
