"""Receivers that fail, are slow, are gone, or are not to be called; and deliveries that die: nothing is lost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.a2a import push_delivery
from apps.a2a.models import PushConfig
from apps.a2a.push_cursor import LEASE, config_settle, configs_take, push_totals
from apps.core.db import in_database
from apps.tasks.services import outbox_dispatch
from tests.api.a2a.push_stage import Stage, states
from tests.fakes.webhook import Call, receiving

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def silent(call: Call, writer: asyncio.StreamWriter) -> None:
    """An answer that never comes."""
    await asyncio.Event().wait()


async def test_after_an_error_it_is_sent_again_with_the_same_key(stage: Stage) -> None:
    stage.hook.answers = [500, 503]
    await stage.task()
    await stage.hand.take()
    await stage.tell()
    config = await stage.config()
    assert (config.attempts, config.last_error, config.sent_seq) == (1, "Answered with status 500.", 1)
    assert config.due_at is not None
    await stage.due_again()
    await stage.tell()
    await stage.due_again()
    calls = await stage.tell()
    config = await stage.config()
    assert (config.attempts, config.last_error, config.failing_since, config.sent_seq) == (0, "", None, 2)
    assert len({call.headers["idempotency-key"] for call in calls}) == 1
    assert states(calls) == ["working"] * 3


async def test_a_receiver_that_is_away_is_tried_again(stage: Stage) -> None:
    async with receiving() as other:
        url = other.url()
    await stage.task(url=url)
    await stage.hand.take()
    await stage.tell()
    config = await stage.config()
    assert (config.attempts, config.last_error) == (1, "No answer: ConnectError.")
    await stage.due_again(url=stage.hook.url())
    assert states(await stage.tell()) == ["working"]


async def test_order_is_kept_through_failures(stage: Stage) -> None:
    stage.hook.answers = [200, 500]
    await stage.task()
    await stage.hand.finish(await stage.hand.take(), "done")
    assert states(await stage.tell()) == ["working", "artifact"]
    await stage.due_again()
    assert states(await stage.tell()) == ["working", "artifact", "artifact", "completed"]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_receiver_that_is_gone_is_given_up(stage: Stage, status: int) -> None:
    stage.hook.answers = [status]
    await stage.task()
    claim = await stage.hand.take()
    await stage.tell()
    await stage.hand.finish(claim, "done")
    assert len(await stage.tell()) == 1
    config = await stage.config()
    assert (config.last_error, config.due_at) == (f"Answered with status {status}.", None)
    assert config.given_up_at is not None
    assert await in_database(push_totals) == {"sent": 0, "failed": 1, "given_up": 1}


async def test_a_day_of_failures_is_enough(stage: Stage) -> None:
    stage.hook.answers = [500, 500]
    await stage.task()
    await stage.hand.take()
    await stage.tell()
    await stage.due_again(failing_since=timezone.now() - timedelta(hours=25))
    await stage.tell()
    assert (await stage.config()).given_up_at is not None
    assert len(await stage.tell()) == 2


async def test_a_receiver_may_say_when_to_come_again(stage: Stage) -> None:
    async def later(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 429 Later\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n")

    stage.hook.answers = [later]
    await stage.task()
    await stage.hand.take()
    await stage.tell()
    due_at = (await stage.config()).due_at
    assert due_at is not None
    assert due_at > timezone.now() + timedelta(seconds=500)


async def test_redirects_are_not_followed(stage: Stage) -> None:
    async def elsewhere(call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 307 There\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")

    stage.hook.answers = [elsewhere]
    await stage.task()
    await stage.hand.take()
    assert [call.path for call in await stage.tell()] == ["/hook"]
    assert (await stage.config()).last_error == "Answered with status 307; redirects are not followed."


async def test_an_address_that_became_private_is_not_called(stage: Stage, settings: Any) -> None:
    await stage.task(token="t-secret")
    await stage.hand.take()
    settings.OUTBOUND_ALLOWED = []
    assert await stage.tell() == []
    config = await stage.config()
    assert (stage.hook.connections, config.attempts) == (0, 1)
    assert "not on the public internet" in config.last_error


async def test_a_silent_receiver_delays_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_delivery, "TIMEOUT_SECONDS", 1.5)
    async with receiving() as deaf:
        deaf.answers = [silent]
        await stage.task(url=deaf.url())
        await stage.hand.take()
        await stage.task()
        await stage.hand.take()
        await in_database(outbox_dispatch)
        telling = asyncio.create_task(push_delivery.deliver_due())
        await asyncio.gather(deaf.got(1), stage.hook.got(1))
        assert not telling.done()
        await stage.task()
        await stage.hand.take()
        await in_database(outbox_dispatch)
        await stage.hook.got(2)  # the same run takes up what has become due meanwhile
        assert not telling.done()
        await telling
    errors = await in_database(lambda: set(PushConfig.objects.values_list("last_error", flat=True)))
    assert errors == {"", "No answer within 1.5 s."}


async def test_one_receiver_has_a_bounded_number_of_deliveries_at_once(stage: Stage) -> None:
    for _ in range(7):
        await stage.task()
        await stage.hand.take()
    await in_database(outbox_dispatch)
    first = await in_database(configs_take, most=50, busy={})
    assert len(first) == 5
    host = first[0].host
    assert await in_database(configs_take, most=50, busy={host: 5}) == []
    assert len(await in_database(configs_take, most=50, busy={host: 4})) == 1
    assert len(await in_database(configs_take, most=50, busy={host: 3})) == 1


async def test_killed_between_sending_and_writing_it_is_sent_again_with_the_same_key(stage: Stage) -> None:
    """The job took the config, the receiver heard, and then the process died: the lease runs out."""
    await stage.task()
    await stage.hand.take()
    await in_database(outbox_dispatch)
    stage.hook.answers = [silent]
    telling = asyncio.create_task(push_delivery.deliver_due())
    await stage.hook.got(1)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    assert len(await stage.tell()) == 1
    await in_database(PushConfig.objects.update, taken_until=timezone.now())
    first, second = await stage.tell()
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


async def test_a_delivery_that_lost_its_hold_writes_nothing(stage: Stage) -> None:
    await stage.task()
    await stage.hand.take()
    await in_database(outbox_dispatch)
    (held,) = await in_database(configs_take, most=1, busy={})
    await in_database(PushConfig.objects.update, taken_until=timezone.now() - LEASE)
    await in_database(config_settle, held, heard_seq=99, was_sent=True)
    assert (await stage.config()).sent_seq == 1
    assert await in_database(push_totals) == {"sent": 0, "failed": 0, "given_up": 0}


async def test_an_error_of_ours_puts_the_config_off_and_spares_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = push_delivery.news_for

    def broken(config: PushConfig) -> Any:
        if config.config_id == "bad":
            raise KeyError("bad")
        return told(config)

    monkeypatch.setattr(push_delivery, "news_for", broken)
    for name in ("bad", "good"):
        await stage.task(id=name, token="t-secret")
        await stage.hand.take()
    assert len(await stage.tell()) == 1
    assert "could not be told" in caplog.text
    assert "t-secret" not in caplog.text
