"""The checker of `make chaos` finds what it is there for: each test plants one fault in sound evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import VERDICTS, judged
from tests.chaos.checks import MOVES
from tests.chaos.evidence import Bound, Event, Evidence, Task
from tests.chaos.history import Entry
from tests.chaos.ledger import folded
from tests.chaos.nemesis import schedule
from tests.chaos.scene import Scene

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, SECOND = "token-1", "token-2"
LOG: list[tuple[str, dict[str, Any]]] = [
    (
        "created",
        {"max_attempts": 3, "priority": 0, "session_id": "", "prompt": "add", "metadata": {}, "queue": "global"},
    ),
    ("claimed", {"worker_id": "ada", "attempt": 1}),
    ("output", {"content": "ada: 1"}),
    ("requeued", {"reason": "lease expired", "error": "ada vanished", "burn": True}),
    ("claimed", {"worker_id": "bob", "attempt": 2}),
    ("output", {"content": "bob: 1"}),
    ("output", {"content": "bob: 2"}),
    ("message", {"message": "hurry", "by": "eve"}),
    ("completed", {"result": "4", "session_id": "", "usage": {}}),
]


def told(op: str, outcome: str = "ok", task_id: str = "t", **facts: Any) -> Entry:
    return Entry(0.0, "wire", op, task_id, outcome, facts)


def events(token: str, *contents: str, outcome: str = "ok", first: int = 1) -> Entry:
    sent = [[seq, "output", {"content": content}] for seq, content in enumerate(contents, first)]
    return told("events", outcome, token=token, events=sent)


def release(token: str, became: str, outcome: str = "ok") -> Entry:
    return told("release", outcome, token=token, became=became)


SOUND_HISTORY = (
    told("create", key="key-1"),
    told("claim", token=FIRST, attempt=1, worker="ada"),
    events(FIRST, "ada: 1"),
    told("claim", token=SECOND, attempt=2, worker="bob"),
    events(SECOND, "bob: 1", "bob: 2"),
    events(FIRST, "ada: 2", outcome="fail", first=2),
    release(FIRST, "", "fail"),
    told("speak", key="hurry"),
    release(SECOND, "completed"),
    told("watched", seq=len(LOG), connections=2),
)


def log_of(*happened: tuple[str, dict[str, Any]]) -> list[Event]:
    return [
        Event("t", seq, 10 * seq, kind, data, NOON + timedelta(seconds=seq))
        for seq, (kind, data) in enumerate(happened, 1)
    ]


def row_of(log: list[Event], **other: Any) -> Task:
    """The row that the log adds up to."""
    facts = vars(folded(log))
    return Task(id="t", title="key-1", last_seq=len(log), **{**facts, **other})


def evidence(
    log: list[Event] | None = None, *more: Entry, task: Task | None = None, history: tuple[Entry, ...] = SOUND_HISTORY
) -> Evidence:
    """Sound but for what a test gives; `more` entries come after the usual history."""
    log = log_of(*LOG) if log is None else log
    outbox = frozenset(("t", event.seq, event.kind) for event in log if event.kind in MOVES)
    return Evidence(tasks={"t": task or row_of(log)}, logs={"t": log}, history=[*history, *more], outbox=outbox)


LOG_OF_TWIN = log_of(LOG[0])[0]


def found(evidence: Evidence) -> set[str]:
    return {name for name, findings in judged(evidence).items() if findings}


def with_event(at: int, kind: str, data: dict[str, Any]) -> list[Event]:
    """The usual log with one event more at place `at`."""
    return log_of(*LOG[:at], (kind, data), *LOG[at:])


def test_sound_evidence_gives_every_verdict_and_no_finding() -> None:
    assert judged(evidence()) == {name: [] for name in VERDICTS}


def test_a_create_that_is_not_there_is_lost() -> None:
    assert found(evidence(None, told("create", task_id="gone", key="key-2"))) == {"lost"}


def test_an_acknowledged_event_that_is_not_in_the_log_is_lost() -> None:
    assert found(evidence(None, events(SECOND, "bob: 3", first=3))) == {"lost"}


def test_an_event_without_an_acknowledgement_may_be_missing() -> None:
    assert found(evidence(None, events(SECOND, "bob: 3", first=3, outcome="unknown"))) == set()


@pytest.mark.parametrize("op", ["requeue", "prioritise", "cancel"])
def test_an_acknowledged_wish_without_a_trace_is_lost(op: str) -> None:
    log = log_of(*LOG[:3], *LOG[4:]) if op == "requeue" else None
    assert "lost" in found(evidence(log, told(op)))


@pytest.mark.parametrize("times", [0, 2])
def test_a_word_is_there_once(times: int) -> None:
    log = log_of(*LOG[:7], *[LOG[7]] * times, LOG[8])
    history = (*SOUND_HISTORY[:-1], told("watched", seq=len(log), connections=1))
    assert found(evidence(log, history=history)) == {"doubled" if times else "lost"}


def test_two_tasks_of_one_key_are_doubled() -> None:
    sound, log = evidence(), [replace(LOG_OF_TWIN, task_id="twin")]
    tasks = {**sound.tasks, "twin": replace(row_of(log, waits=-1.0), id="twin")}
    logs, outbox = {**sound.logs, "twin": log}, sound.outbox | {("twin", 1, "created")}
    assert found(replace(sound, tasks=tasks, logs=logs, outbox=outbox)) == {"doubled"}


def test_an_event_that_is_twice_in_the_log_is_doubled() -> None:
    assert "doubled" in found(evidence(with_event(7, "output", {"content": "bob: 2"})))


def test_two_accepted_ends_are_doubled() -> None:
    assert "doubled" in found(evidence(None, release(FIRST, "failed")))


def test_two_ends_in_a_log_are_doubled() -> None:
    log = log_of(*LOG, ("failed", {"error": "late", "code": "late"}))
    assert found(evidence(log)) >= {"doubled", "out of order"}


def test_an_accepted_end_of_an_attempt_that_was_over_is_stale() -> None:
    assert "stale accepted" in found(evidence(None, release(FIRST, "completed")))


def test_an_event_of_the_holder_before_is_stale() -> None:
    assert "stale accepted" in found(evidence(with_event(6, "output", {"content": "ada: 2"})))


def test_an_accepted_write_under_an_unknown_token_is_stale() -> None:
    assert "stale accepted" in found(evidence(None, events("made up", "hello")))
    assert "stale accepted" in found(evidence(None, release("made up", "completed")))


def test_reports_that_swapped_places_are_out_of_order() -> None:
    assert "out of order" in found(evidence(log_of(*LOG[:5], LOG[6], LOG[5], *LOG[7:])))


def test_a_move_along_no_edge_is_out_of_order() -> None:
    assert "out of order" in found(evidence(with_event(4, "requeued", LOG[3][1])))


def test_positions_that_fall_are_out_of_order() -> None:
    log = log_of(*LOG)
    log[4] = replace(log[4], position=1)
    assert found(evidence(log)) == {"out of order"}


def test_a_number_that_is_missing_is_a_gap() -> None:
    log = log_of(*LOG)
    del log[7]
    assert "gap" in found(evidence(log, task=row_of(log_of(*LOG))))


def test_a_stream_that_missed_an_event_is_a_gap() -> None:
    assert found(evidence(None, told("stream", "fail", expected=3, got=4))) == {"gap"}


def test_a_stream_that_never_told_the_end_is_a_gap() -> None:
    assert found(evidence(None, told("unwatched", "fail", seq=3))) == {"gap"}


@pytest.mark.parametrize("seqs", [{"t": 3}, {}])
def test_a_monitor_that_was_not_told_all_is_a_gap(seqs: dict[str, int]) -> None:
    assert found(evidence(None, told("monitored", seqs=seqs, connections=2))) == {"gap"}


def test_a_held_task_at_the_end_is_stuck() -> None:
    log = log_of(*LOG[:3])
    assert "stuck" in found(evidence(log, task=row_of(log, overdue=100.0), history=SOUND_HISTORY[:3]))


@pytest.mark.parametrize(("waits", "verdicts"), [(60.0, {"stuck"}), (-5.0, set())])
def test_a_pending_task_is_stuck_unless_its_time_has_not_come(waits: float, verdicts: set[str]) -> None:
    log = log_of(*LOG[:4])
    assert found(evidence(log, task=row_of(log, waits=waits), history=SOUND_HISTORY[:3])) == verdicts


def test_attempts_must_grow_by_one() -> None:
    log = log_of(*LOG[:4], ("claimed", {"worker_id": "bob", "attempt": 1}), *LOG[5:])
    assert "attempts" in found(evidence(log))


def test_attempts_must_stay_within_their_most() -> None:
    log = log_of(("created", {**LOG[0][1], "max_attempts": 1}), *LOG[1:])
    assert found(evidence(log)) == {"attempts"}


def test_a_token_is_used_once() -> None:
    assert "tokens" in found(evidence(None, told("claim", token=SECOND, attempt=3, worker="bob")))
    assert "tokens" in found(evidence(None, told("claim", token="token-3", attempt=2, worker="bob")))


@pytest.mark.parametrize("change", ["forgotten", "made up"])
def test_the_outbox_has_exactly_the_moves(change: str) -> None:
    sound = evidence()
    entry = ("t", 2, "claimed") if change == "forgotten" else ("t", 3, "output")
    assert found(replace(sound, outbox=sound.outbox ^ {entry})) == {"outbox"}


def test_a_completion_after_an_accepted_cancel_is_seen() -> None:
    assert "completed after cancel" in found(evidence(None, told("cancel")))


@pytest.mark.parametrize("change", [{"state": "failed"}, {"result": "5"}, {"worker_id": "ada"}, {"attempt": 1}])
def test_a_row_that_is_not_its_log_is_seen(change: dict[str, Any]) -> None:
    assert found(evidence(task=replace(row_of(log_of(*LOG)), **change))) == {"row is no fold"}


@pytest.mark.parametrize(("seconds", "verdicts"), [(3.0, {"limits"}), (8.0, set())])
def test_a_claim_in_a_paused_queue_is_seen(seconds: float, verdicts: set[str]) -> None:
    begin = NOON.timestamp() + seconds
    pause = told("pause", task_id="global", asked=begin, granted=begin)
    resume = told("resume", task_id="global", asked=begin + 10, granted=begin + 10)
    assert found(evidence(None, pause, resume)) == verdicts


@pytest.mark.parametrize(
    ("bound", "verdicts"),
    [
        (Bound("workspace", "", 1, 0, 0), set()),
        (Bound("workspace", "", 0, 0, 0), {"limits"}),
        (Bound("worker", "bob", 0, 0, 0), {"limits"}),
        (Bound("worker", "eve", 0, 0, 0), set()),
        (Bound("codebase", "global", None, 1, 0), {"limits"}),
    ],
)
def test_bounds_hold_at_every_moment_and_count_what_is_held(bound: Bound, verdicts: set[str]) -> None:
    assert found(replace(evidence(), bounds=[bound])) == verdicts


@pytest.mark.parametrize("seed", [1, 302])
def test_every_fault_comes_before_the_load_has_ended(seed: int, tmp_path: Path) -> None:
    scene = Scene(seed=seed, tasks=10_000, faults=500, folder=tmp_path, driver=1)
    faults = schedule(scene)
    assert len(faults) == 500
    assert max(fault.at for fault in faults) <= scene.seconds
