"""Whoever should tell people about a rescue hears of each exactly once, with what a message needs; of none that was
refused."""

from dataclasses import dataclass

import pytest

from apps.tasks import log
from apps.tasks.models import OutboxEntry, Task
from apps.tasks.reports import from_worker
from apps.tasks.selectors import task_get
from apps.tasks.services import Change, lease_renew, leases_reap, outbox, outbox_dispatch, rescue, task_progress
from tests.expiry import expire_leases
from tests.factories import Cast


@dataclass
class Notice:
    """What a consumer makes of a change, from what it is handed and what it may read."""

    title: str
    kind: str
    state: str
    words: str


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """The messages of a consumer that tells of everything."""
    told: list[Notice] = []

    def tell(change: Change) -> None:
        (event,) = log.read(change.task_id, change.seq - 1, limit=1)
        task = task_get(workspace_id=change.workspace_id, task_id=change.task_id)
        words = event.data.get("error") or event.data.get("worker_id", "")
        told.append(Notice(event.title, change.kind, task.state, words))

    monkeypatch.setattr(outbox, "_consumers", [lambda changes: [tell(change) for change in changes]])
    return told


def swept(notices: list[Notice]) -> list[Notice]:
    """The notices of one sweep, with all that came before it told already; asking again brings no more."""
    outbox_dispatch()
    notices.clear()
    expire_leases()
    leases_reap()
    outbox_dispatch()
    leases_reap()
    outbox_dispatch()
    return notices


def test_task_whose_worker_vanished(cast: Cast, notices: list[Notice]) -> None:
    cast.held()
    error = "worker w1 vanished during attempt 1"
    assert swept(notices) == [Notice("Mend the till", "requeued", "pending", error)]


def test_task_whose_last_attempt_vanished(cast: Cast, notices: list[Notice]) -> None:
    cast.held(max_attempts=1)
    error = "worker w1 vanished during attempt 1, the last one"
    assert swept(notices) == [Notice("Mend the till", "failed", "failed", error)]


def test_question_whose_asker_vanished(cast: Cast, notices: list[Notice]) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[from_worker("input_required", {"question": "Which?"})])
    assert swept(notices) == [Notice("Mend the till", "lease_lost", "input_required", "w1")]


def test_task_that_nobody_claimed_in_time(cast: Cast, notices: list[Notice]) -> None:
    cast.task(deadline_seconds=0.001)
    error = "no worker claimed the task before its deadline"
    assert swept(notices) == [Notice("Mend the till", "failed", "failed", error)]


def test_rescue_that_a_renewal_prevented_is_told_to_nobody(cast: Cast) -> None:
    """The sweep has seen the lease run out; then the heartbeat comes, and then the sweep tries to move the task."""
    claim = cast.held()
    outbox_dispatch()
    expire_leases()
    seen = Task.objects.get()
    lease_renew(workspace_id=cast.workspace.id, claims={claim.task_id: claim.token})
    assert rescue._rescue(seen) == ""
    assert not OutboxEntry.objects.exists()
    assert Task.objects.get().last_seq == seen.last_seq
