"""Old logs grow small: moves and facts stay, what was said is counted and removed, and no reader loses its place."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.tasks import jobs, log
from apps.tasks.admin.transcript import transcript
from apps.tasks.events import fold
from apps.tasks.models import Task, TaskEvent
from apps.tasks.reports import from_worker
from apps.tasks.services import (
    Claim,
    Compaction,
    Outcome,
    events_compact,
    events_compactable,
    leases_reap,
    retention,
    task_finish,
    task_message,
    task_progress,
)
from apps.tasks.services.outbox import outbox_dispatch
from apps.tasks.states import State
from tests.expiry import end_pauses, expire_leases
from tests.factories import Cast

DONE = Outcome(status=State.COMPLETED, result="all green")


def say(claim: Claim, *kinds: str) -> None:
    data: dict[str, dict[str, Any]] = {
        "output": {"content": "hm"},
        "tool_use": {"tool": "sh", "args": {"command": "make"}},
        "usage": {"input_tokens": 7},
        "session": {"session_id": "ses_1"},
    }
    task_progress(claim=claim, reported=[from_worker(kind, data[kind]) for kind in kinds])


def ended(cast: Cast, *kinds: str, days_ago: float = 100) -> Task:
    """A task that said these and ended so long ago."""
    claim = cast.held()
    say(claim, *kinds)
    task_finish(claim=claim, outcome=DONE)
    return aged(claim, days_ago)


def aged(claim: Claim, days_ago: float = 100) -> Task:
    when = timezone.now() - timedelta(days=days_ago)
    Task.objects.filter(id=claim.task_id).update(completed_at=when)
    return Task.objects.get(id=claim.task_id)


def kinds_of(task: Task) -> list[tuple[int, str]]:
    return [(event.seq, event.kind) for event in log.read(task.id)]


def test_a_run_of_old_events_becomes_one_that_counts_them(cast: Cast) -> None:
    task = ended(cast, "output", "output", "tool_use")
    assert events_compact(days=90) == Compaction(tasks=1, events=3)
    assert kinds_of(task) == [(1, "created"), (2, "claimed"), (5, "compacted"), (6, "completed")]
    summary = {"first_seq": 3, "last_seq": 5, "events": 3, "kinds": {"output": 2, "tool_use": 1}}
    assert log.read(task.id)[2].data == summary


def test_the_task_keeps_its_result_and_its_facts(cast: Cast) -> None:
    task = ended(cast, "session", "usage", "output", "usage", "output")
    events_compact(days=90)
    after = Task.objects.get(id=task.id)
    assert (after.state, after.result, after.session_id, after.last_seq) == ("completed", "all green", "ses_1", 8)
    facts = fold((event.kind, event.data) for event in log.read(task.id))
    assert (facts["session_id"], facts["usage"]) == ("ses_1", {"input_tokens": 7})
    assert [seq for seq, kind in kinds_of(task) if kind in ("session", "usage")] == [3, 6]


def test_every_move_of_a_long_life_stays(cast: Cast) -> None:
    claim = cast.held()
    say(claim, "output", "output")
    task_message(workspace_id=cast.workspace.id, task_id=claim.task_id, message="hurry", by="ada")
    expire_leases()
    leases_reap()
    end_pauses()
    claim = cast.held(Task.objects.get())
    say(claim, "output")
    task_finish(claim=claim, outcome=DONE)
    task = aged(claim)
    events_compact(days=90)
    kinds = [kind for _, kind in kinds_of(task)]
    assert kinds == ["created", "claimed", "compacted", "requeued", "claimed", "compacted", "completed"]


@pytest.mark.parametrize("days_ago", [0, 89])
def test_what_ended_lately_is_not_touched(cast: Cast, days_ago: float) -> None:
    task = ended(cast, "output", days_ago=days_ago)
    assert events_compact(days=90) == Compaction()
    assert (3, "output") in kinds_of(task)


def test_what_has_not_ended_is_not_touched_however_old(cast: Cast) -> None:
    claim = cast.held()
    say(claim, "output")
    long_ago = timezone.now() - timedelta(days=1000)
    Task.objects.update(created_at=long_ago, started_at=long_ago)
    assert events_compact(days=90) == Compaction()
    assert TaskEvent.objects.filter(kind="output").exists()


def test_done_once_is_done(cast: Cast) -> None:
    task = ended(cast, "output", "output")
    events_compact(days=90)
    before = kinds_of(task)
    assert events_compact(days=90) == Compaction()
    assert kinds_of(task) == before


@pytest.mark.parametrize("at_once", [2, 3, 4, 5])
def test_long_logs_are_done_piece_by_piece_and_look_the_same(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", at_once)
    task = ended(cast, *["output"] * 11)
    assert events_compact(days=90) == Compaction(tasks=1, events=11)
    assert kinds_of(task) == [(1, "created"), (2, "claimed"), (13, "compacted"), (14, "completed")]
    assert log.read(task.id)[2].data["kinds"] == {"output": 11}


def test_work_that_was_interrupted_goes_on(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 4)
    task = ended(cast, *["output"] * 11)
    assert events_compact(days=90, seconds=0) == Compaction(tasks=0, events=2)
    assert Task.objects.get(id=task.id).compacted_at is None
    assert events_compact(days=90) == Compaction(tasks=1, events=9)
    assert log.read(task.id)[2].data["kinds"] == {"output": 11}


@pytest.mark.parametrize("after_seq", range(8))
def test_reader_of_any_place_is_told_the_rest_or_that_it_is_gone(cast: Cast, after_seq: int) -> None:
    task = ended(cast, "output", "output", "output")
    events_compact(days=90)
    told = log.read(task.id, after_seq)
    assert [event.seq for event in told] == [seq for seq in (1, 2, 5, 6) if seq > after_seq]


@pytest.mark.django_db(transaction=True)  # what is committed lies below the horizon
def test_readers_of_the_workspace_find_their_place_too(cast: Cast) -> None:
    outbox_dispatch()
    task = ended(cast, "output", "output")
    places = [event.cursor for event in log.read(task.id)]
    events_compact(days=90)
    rest = [event.seq for event in log.read_workspace(cast.workspace.id, places[2])]
    assert rest == [4, 5]


def test_transcript_says_what_is_gone(cast: Cast) -> None:
    task = ended(cast, "output", "output", "tool_use")
    events_compact(days=90)
    (block,) = [block for block in transcript(log.read(task.id)) if "removed" in block.title]
    assert (block.title, block.text) == ("3 old events were removed", "2 output, 1 tool_use")


def test_job_keeps_what_the_setting_says(cast: Cast, settings: Any) -> None:
    ended(cast, "output", days_ago=100)
    settings.RETENTION_DAYS = 0
    jobs.events_compact()
    settings.RETENTION_DAYS = 101
    jobs.events_compact()
    assert TaskEvent.objects.filter(kind="output").exists()
    settings.RETENTION_DAYS = 99
    jobs.events_compact()
    assert not TaskEvent.objects.filter(kind="output").exists()


def test_command_says_what_would_go_and_removes_nothing(cast: Cast) -> None:
    ended(cast, "output", "output")
    said = StringIO()
    call_command("compact_events", days=30, dry_run=True, stdout=said)
    assert said.getvalue() == "Up to 2 events of 1 tasks would go.\n"
    assert events_compactable(days=30) == Compaction(tasks=1, events=2)
    call_command("compact_events", days=30, stdout=said)
    assert said.getvalue().endswith("2 events of 1 tasks are gone.\n")


def test_command_wants_an_age(cast: Cast, settings: Any) -> None:
    ended(cast, "output")
    settings.RETENTION_DAYS = 0
    with pytest.raises(CommandError):
        call_command("compact_events")
    assert TaskEvent.objects.filter(kind="output").exists()


def test_what_is_due_is_found_by_its_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "task_to_compact" in retention._due(90).order_by("completed_at").values("id").explain()
