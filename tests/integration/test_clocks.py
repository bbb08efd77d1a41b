"""The clock of the process that asks is an hour off: what was promised still holds, because the database's counts."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.tasks.models import Task
from apps.tasks.services import Outcome, lease_renew, leases_reap, task_claim, task_finish, task_snooze
from apps.tasks.states import State
from tests.factories import Cast

RIGHT_NOW = timezone.now


@pytest.fixture(params=[-3600, 3600], ids=["an hour behind", "an hour ahead"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process's clock as Python code asks for it."""
    wrong = timedelta(seconds=request.param)
    monkeypatch.setattr(timezone, "now", lambda: RIGHT_NOW() + wrong)


pytestmark = pytest.mark.usefixtures("wrong_clock")


def seconds_from_now(column: str) -> float:
    """How far in the future a column of the only task lies, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT extract(epoch FROM {column} - clock_timestamp())::float FROM tasks_task")  # noqa: S608
        row: Any = cursor.fetchone()
    return float(row[0])


def test_a_claims_lease_is_as_long_as_promised(cast: Cast) -> None:
    cast.held()
    assert 40 < seconds_from_now("lease_expires_at") <= 60


def test_a_renewed_lease_is_as_long_as_promised(cast: Cast) -> None:
    claim = cast.held()
    lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token})
    assert 40 < seconds_from_now("lease_expires_at") <= 60


def test_a_good_lease_is_not_reaped(cast: Cast) -> None:
    cast.held()
    assert leases_reap().total == 0
    assert Task.objects.get().state == "running"


def test_a_new_task_can_be_claimed_at_once(cast: Cast) -> None:
    task = cast.task()
    assert [one.id for one in task_claim(claimer=cast.claimer())] == [task.id]


def test_a_deadline_is_as_far_as_was_asked(cast: Cast) -> None:
    cast.task(deadline_seconds=600)
    assert 580 < seconds_from_now("deadline_at") <= 600


def test_a_snooze_is_as_long_as_was_asked(cast: Cast) -> None:
    task_snooze(claim=cast.held(), seconds=600, reason="quota")
    assert 580 < seconds_from_now("available_at") <= 600


def test_a_tasks_times_are_the_databases(cast: Cast) -> None:
    task_finish(claim=cast.held(), outcome=Outcome(status=State.COMPLETED))
    for column in ("created_at", "started_at", "completed_at", "updated_at"):
        assert -20 < seconds_from_now(column) <= 0, column
