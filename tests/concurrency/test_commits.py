"""What belongs together commits together: idempotency keys, state with event with outbox entry, and handing over."""

import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from apps.core.tenancy import AS_OWNER, acting
from apps.tasks.models import OutboxEntry, Task, TaskEvent
from apps.tasks.services import Change, NewTask, outbox, outbox_dispatch, task_cancel, task_create
from tests.concurrency.actors import Actor, wait_until_blocked
from tests.factories import Cast


def counts() -> tuple[int, int, int]:
    return Task.objects.count(), TaskEvent.objects.count(), OutboxEntry.objects.count()


def create(cast: Cast, key: str | None = "k1") -> uuid.UUID:
    new = NewTask(title="Once", prompt="only once", idempotency_key=key)
    return task_create(workspace_id=cast.workspace.id, new=new, by="ada").id


def test_creation_in_a_transaction_that_fails_leaves_nothing(cast: Cast, first: Actor) -> None:
    first.begin().do(create, cast)
    assert counts() == (0, 0, 0)
    first.roll_back()
    assert counts() == (0, 0, 0)


def test_creation_is_seen_whole_or_not_at_all(cast: Cast, first: Actor) -> None:
    first.begin().do(create, cast)
    first.commit()
    assert counts() == (1, 1, 1)


def test_change_whose_outbox_entry_cannot_be_written_does_not_happen(cast: Cast) -> None:
    task = cast.task()
    with acting(AS_OWNER), connection.cursor() as cursor:  # the next entry gets the number of the present one
        cursor.execute("SELECT setval('tasks_outboxentry_id_seq', (SELECT max(id) FROM tasks_outboxentry), false)")
    with pytest.raises(IntegrityError):
        task_cancel(workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    task.refresh_from_db()
    assert (task.state, task.last_seq, TaskEvent.objects.count()) == ("pending", 1, 1)


def test_change_whose_event_cannot_be_written_does_not_happen(cast: Cast) -> None:
    task = cast.task()
    TaskEvent.objects.create(task=task, seq=2, workspace_id=cast.workspace.id, position=0, kind="in the way", data={})
    with pytest.raises(IntegrityError):
        task_cancel(workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    task.refresh_from_db()
    assert (task.state, task.last_seq, OutboxEntry.objects.count()) == ("pending", 1, 1)
    TaskEvent.objects.filter(seq=2).delete()


def test_same_key_at_once_is_one_task(cast: Cast, first: Actor, second: Actor) -> None:
    made = first.begin().do(create, cast)
    waiting = second.start(create, cast)
    wait_until_blocked(second, first)
    first.commit()
    assert waiting.result(10) == made
    assert counts() == (1, 1, 1)


def test_key_of_a_creation_that_failed_is_free(cast: Cast, first: Actor, second: Actor) -> None:
    lost = first.begin().do(create, cast)
    waiting = second.start(create, cast)
    wait_until_blocked(second, first)
    first.roll_back()
    assert waiting.result(10) != lost
    assert counts() == (1, 1, 1)


def test_crowd_with_one_key_makes_one_task(cast: Cast) -> None:
    together = threading.Barrier(8)

    def rush(_: int) -> uuid.UUID:
        together.wait(10)
        try:
            return create(cast)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(rush, range(8)))) == 1
    assert counts() == (1, 1, 1)


def test_same_key_in_two_workspaces_is_two_tasks(cast: Cast) -> None:
    assert create(cast) != create(cast.elsewhere())


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Change]:
    """What a consumer of the outbox was told, and nobody else is."""
    told: list[Change] = []
    monkeypatch.setattr(outbox, "_consumers", [told.extend])
    return told


def test_two_dispatchers_hand_over_each_entry_once(cast: Cast, heard: list[Change]) -> None:
    made = {cast.task().id for _ in range(40)}

    def dispatch(_: int) -> int:
        try:
            return outbox_dispatch()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        handed = sum(pool.map(dispatch, range(2)))
    assert (handed, len(heard), {change.task_id for change in heard}) == (40, 40, made)
    assert not OutboxEntry.objects.exists()


def test_second_dispatcher_does_not_wait_for_the_first(
    cast: Cast, first: Actor, second: Actor, heard: list[Change]
) -> None:
    one, two = cast.task(), cast.task()
    assert first.begin().do(outbox_dispatch, limit=1) == 1
    assert second.do(outbox_dispatch) == 1
    first.commit()
    assert [change.task_id for change in heard] == [one.id, two.id]


def test_entry_whose_consumer_fails_stays_for_the_next_call_and_the_others_go(
    cast: Cast, heard: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, bad, after = cast.task().id, cast.task().id, cast.task().id
    monkeypatch.setattr(outbox, "AT_ONCE", 2)

    def fail_once(changes: Sequence[Change]) -> None:
        if any(change.task_id == bad for change in changes):
            raise ValueError("the consumer's own trouble")
        heard.extend(changes)

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "_consumers", [fail_once])
        assert outbox_dispatch() == 2
    assert outbox_dispatch() == 1
    seen = [change.task_id for change in heard]
    assert seen.count(bad) == 1
    assert set(seen) == {before, bad, after}
    assert not OutboxEntry.objects.exists()


def test_dispatch_goes_on_until_nothing_is_left(
    cast: Cast, heard: list[Change], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    made = [cast.task().id for _ in range(5)]
    assert outbox_dispatch() == 5
    assert [change.task_id for change in heard] == made


def test_what_a_consumer_wrote_goes_with_the_entry(cast: Cast, first: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_consumers", [lambda changes: create(cast, key=f"follows {changes[0].seq}")])
    cast.task()
    first.begin().do(outbox_dispatch, limit=1)
    first.roll_back()
    assert counts() == (1, 1, 1)
