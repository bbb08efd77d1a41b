"""Two compactions at once: each task is done once, and neither waits for the other."""

from functools import partial

from django.db import connection

from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Compaction, Outcome, events_compact, task_finish, task_progress
from apps.tasks.states import State
from tests.concurrency.actors import Actor
from tests.factories import Cast

compact = partial(events_compact, days=90)


def old_task(cast: Cast) -> Task:
    claim = cast.held()
    task_progress(claim=claim, reported=[from_worker("output", {"content": "hm"})] * 3)
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_task SET completed_at = completed_at - interval '1 year'")
    return Task.objects.get(id=claim.task_id)


def test_second_passes_over_what_the_first_is_at(cast: Cast, first: Actor, second: Actor) -> None:
    task = old_task(cast)
    assert first.begin().do(compact) == Compaction(1, 3)
    assert second.do(compact) == Compaction(0, 0)
    first.commit()
    assert second.do(compact) == Compaction(0, 0)
    assert [event.kind for event in log.read(task.id)] == ["created", "claimed", "compacted", "completed"]


def test_what_was_rolled_back_is_done_by_the_next(cast: Cast, first: Actor, second: Actor) -> None:
    task = old_task(cast)
    first.begin().do(compact)
    first.roll_back()
    assert len(log.read(task.id)) == 6
    assert second.do(compact) == Compaction(1, 3)


def test_reader_sees_a_log_without_gaps_at_any_time(cast: Cast, first: Actor) -> None:
    task = old_task(cast)
    first.begin().do(compact)
    assert [event.seq for event in log.read(task.id)] == [1, 2, 3, 4, 5, 6]
    first.commit()
    assert [event.seq for event in log.read(task.id, 3)] == [5, 6]
