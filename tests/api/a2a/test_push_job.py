"""Celery's side of push notifications: started once after the commit, alone, and patient when Redis is away."""

import logging
from typing import Any

import pytest
from django.db import connection, connections, transaction
from kombu.exceptions import OperationalError

from apps.a2a import jobs, push_delivery
from apps.a2a.models import PushConfig
from apps.core.db import in_database
from apps.core.posting import FIRST_DELAY, MOST_DELAY, delay_after
from apps.tasks.services import outbox_dispatch, task_cancel
from tests.api.a2a.push_stage import Stage, states
from tests.factories import Cast


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The job's starts, which nobody follows."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(jobs.push_deliver, "apply_async", lambda **options: found.append(options))
    return found


def watched(cast: Cast, **more: Any) -> PushConfig:
    """A config for a task that was cancelled just now."""
    task = cast.task()
    values = {"url": "http://127.0.0.1:9/", "host": "127.0.0.1:9", "version": "1.0", "sent_seq": 1, "config_id": "a"}
    config = PushConfig.objects.create(workspace=cast.workspace, task_id=task.id, **{**values, **more})
    task_cancel(workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    return config


@pytest.mark.django_db(transaction=True)
def test_many_changes_of_one_dispatch_start_the_job_once(cast: Cast, started: list[dict[str, Any]]) -> None:
    configs = [watched(cast) for _ in range(3)]
    outbox_dispatch()
    assert started == [{"expires": 30}]
    assert PushConfig.objects.filter(due_at__isnull=False).count() == len(configs)


@pytest.mark.django_db(transaction=True)
def test_changes_that_nobody_asked_for_start_nothing(cast: Cast, started: list[dict[str, Any]]) -> None:
    cast.task()
    watched(cast).delete()
    outbox_dispatch()
    assert started == []


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_starts_nothing(cast: Cast, started: list[dict[str, Any]]) -> None:
    config = watched(cast)
    with transaction.atomic():
        outbox_dispatch()
        transaction.set_rollback(True)
    config.refresh_from_db()
    assert (config.due_at, started) == (None, [])


@pytest.mark.parametrize("more", [{"sent_seq": 5}, {"given_up_at": "2026-01-01T00:00Z"}])
def test_who_knows_already_or_was_given_up_is_not_due(cast: Cast, more: dict[str, Any]) -> None:
    config = watched(cast, **more)
    outbox_dispatch()
    config.refresh_from_db()
    assert config.due_at is None


def test_one_that_waits_to_be_tried_again_goes_on_waiting(cast: Cast) -> None:
    config = watched(cast, due_at="2100-01-01T00:00Z", attempts=3)
    outbox_dispatch()
    config.refresh_from_db()
    assert config.due_at is not None
    assert config.due_at.year == 2100


def test_without_redis_the_job_waits_for_its_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**options: Any) -> None:
        raise OperationalError("no Redis")

    monkeypatch.setattr(jobs.push_deliver, "apply_async", away)
    with caplog.at_level(logging.WARNING):
        jobs.start()
    assert "wait for the job's next time" in caplog.text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_job_tells_and_a_second_one_meanwhile_does_nothing(stage: Stage) -> None:
    await stage.task()
    await stage.hand.take()
    await in_database(outbox_dispatch)
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    lock = [push_delivery._LOCK]
    await in_database(lambda: other.cursor().execute("SELECT pg_advisory_lock(%s)", lock))
    await in_database(jobs.push_deliver)
    assert stage.hook.calls == []
    # said before it is closed: PostgreSQL frees what a closed connection held a moment after that
    await in_database(lambda: other.cursor().execute("SELECT pg_advisory_unlock(%s)", lock))
    await in_database(other.close)
    await in_database(jobs.push_deliver)
    assert states(stage.hook.calls) == ["working"]


def test_the_pauses_grow_to_an_hour_and_are_not_all_alike() -> None:
    assert FIRST_DELAY <= delay_after(1) <= 2 * FIRST_DELAY
    assert 0.7 * FIRST_DELAY * 2**5 < delay_after(6) < 1.3 * FIRST_DELAY * 2**5
    assert delay_after(1_000) == MOST_DELAY
    assert delay_after(1, retry_after=100.0) == 100.0
    assert delay_after(1, retry_after=1e9) == MOST_DELAY
    assert len({delay_after(5) for _ in range(20)}) > 1


@pytest.mark.usefixtures("db")
def test_a_tasks_configs_are_found_by_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN UPDATE a2a_face_pushconfig SET due_at = clock_timestamp()"
            " WHERE task_id = '01900000-0000-7000-8000-000000000000'"
            " AND given_up_at IS NULL AND due_at IS NULL AND sent_seq < 5"
        )
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "push_config_once" in plan
