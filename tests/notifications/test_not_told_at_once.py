"""Push services that fail, are busy or gone, or are not to be called; deliveries that die: nothing is lost."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.notifications import due
from apps.notifications.jobs import notices_deliver
from apps.notifications.models import Notice, PushSubscription
from apps.tasks.services import outbox_dispatch
from tests.notifications.conftest import Stage


def test_after_an_error_it_is_sent_again(stage: Stage) -> None:
    device = stage.device(stage.person())
    stage.asks(stage.cast.held())
    stage.service.answers = [503]
    stage.tell()
    device.refresh_from_db()
    assert device.last_error == "Answered with status 503."
    assert device.failing_since is not None
    assert len(stage.tell()) == 1, "not at once"
    stage.due_again()
    assert len({message["tag"] for message in stage.told()}) == 1
    device.refresh_from_db()
    assert (len(stage.service.calls), device.last_error, device.failing_since) == (2, "", None)


def test_retry_after_is_heeded(stage: Stage) -> None:
    stage.device(stage.person())
    stage.asks(stage.cast.held())

    async def busy(call: Any, writer: Any) -> None:
        writer.write(b"HTTP/1.1 429 Too Many\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n")

    stage.service.answers = [busy]
    stage.tell()
    wait = Notice.objects.get().due_at - timezone.now()
    assert timedelta(seconds=580) < wait <= timedelta(seconds=600)


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_removed(stage: Stage, status: int) -> None:
    stage.device(stage.person()), stage.device(stage.person("ada"), "/push/2")
    stage.asks(stage.cast.held())
    stage.service.answers = [status]
    assert len(stage.tell()) == 2
    assert (PushSubscription.objects.count(), Notice.objects.count()) == (1, 0)


def test_a_delivery_that_died_is_done_again(stage: Stage) -> None:
    """Killed between the push service's answer and the database: told twice rather than never, under the same tag."""
    stage.device(stage.person())
    stage.asks(stage.cast.held())
    outbox_dispatch()
    assert len(due.notices_take(most=9, busy={})) == 1
    assert due.notices_take(most=9, busy={}) == [], "held by the first"
    assert stage.tell() == []
    Notice.objects.update(taken_until=timezone.now() - timedelta(seconds=1))
    assert len(stage.tell()) == 1


def test_a_delivery_that_took_too_long_leaves_newer_news_alone(stage: Stage) -> None:
    stage.device(stage.person())
    claim = stage.cast.held(title="Mend the till")
    stage.asks(claim)
    outbox_dispatch()
    (old,) = due.notices_take(most=9, busy={})
    stage.fails(claim)
    outbox_dispatch()
    due.notice_done(old, was_sent=True)
    assert [message["title"] for message in stage.told()] == ["Failed: Mend the till"]


def test_an_older_event_does_not_replace_a_newer_one(stage: Stage) -> None:
    stage.device(stage.person())
    task = stage.fails(stage.cast.held())
    assert due.notices_write({task.id: (7, "failed")})
    assert not due.notices_write({task.id: (3, "asked")})
    assert Notice.objects.get().seq == 7


def test_what_could_not_be_told_for_a_day_is_told_no_more(stage: Stage) -> None:
    stage.device(stage.person())
    stage.asks(stage.cast.held())
    outbox_dispatch()
    Notice.objects.update(since=timezone.now() - timedelta(hours=24))
    stage.service.answers = [500]
    assert (len(stage.tell()), Notice.objects.count(), PushSubscription.objects.count()) == (1, 0, 1)


def test_a_dead_push_service_leaves_places_for_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "PER_HOST", 2)
    user = stage.person()
    for number in range(3):
        stage.device(user, f"/push/{number}", host="dead.example")
    stage.device(user, "/push/9")
    stage.asks(stage.cast.held())
    outbox_dispatch()
    taken = due.notices_take(most=9, busy={"dead.example": 1})
    assert sorted(notice.subscription.host for notice in taken) == [f"127.0.0.1:{stage.service.port}", "dead.example"]


def test_an_address_that_must_not_be_called_is_not(stage: Stage, settings: Any) -> None:
    device = stage.device(stage.person())
    stage.asks(stage.cast.held())
    settings.OUTBOUND_ALLOWED = []
    assert stage.tell() == []
    device.refresh_from_db()
    assert "not on the public internet" in device.last_error


def test_another_secret_key_is_told_as_what_it_is(stage: Stage, settings: Any) -> None:
    device = stage.device(stage.person())
    stage.asks(stage.cast.held())
    settings.SECRET_KEY = "another " + "y" * 50
    assert stage.tell() == []
    device.refresh_from_db()
    assert "SECRET_KEY" in device.last_error


def test_a_fault_of_ours_with_one_leaves_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage.device(stage.person()), stage.device(stage.person("ada"), "/push/2", p256dh="AAAA")
    stage.asks(stage.cast.held())
    with caplog.at_level(logging.CRITICAL):
        assert [call.path for call in stage.tell()] == ["/push/1"]
    assert Notice.objects.get().attempts == 1


def test_the_job_is_started_once_after_the_commit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(notices_deliver, "apply_async", lambda **options: started.append(options))
    stage.device(stage.person())
    for _ in range(3):
        stage.fails(stage.cast.held())
    with django_capture_on_commit_callbacks(execute=True):
        outbox_dispatch()
    assert (started, Notice.objects.count()) == ([{"expires": 30}], 3)
