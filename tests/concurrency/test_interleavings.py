"""Two writers of one task, interleaved: the first holds the row's lock, the second waits, then sees what the first did.

Each pair is played three ways: the first commits, the two change places, and the first rolls back (then the second
must succeed as if it had been alone).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from apps.core.errors import ConflictError
from apps.tasks import log
from apps.tasks.events import from_worker
from apps.tasks.models import Task
from apps.tasks.services import (
    Claim,
    Outcome,
    lease_renew,
    leases_reap,
    task_answer,
    task_cancel,
    task_decline,
    task_finish,
    task_message,
    task_progress,
    task_requeue,
    task_snooze,
)
from apps.tasks.states import State
from tests.concurrency.actors import Actor, wait_until_blocked
from tests.expiry import expire_leases
from tests.factories import Cast

DONE = Outcome(status=State.COMPLETED, result="green")
ASKED = from_worker("input_required", {"question": "Which?"})


def attempt(work: Callable[[], object]) -> str:
    """What became of it in a word: ok, nothing (it had no effect, without an error), or the refusal's code."""
    try:
        found = work()
    except ConflictError as refused:
        return refused.code
    return "ok" if found else "nothing"


def finish(claim: Claim) -> object:
    return task_finish(claim=claim, outcome=DONE)


def cancel(claim: Claim) -> object:
    return task_cancel(workspace_id=claim.workspace_id, task_id=claim.task_id, by="ada")


def requeue(claim: Claim) -> object:
    return task_requeue(workspace_id=claim.workspace_id, task_id=claim.task_id, by="ada")


def answer(claim: Claim) -> object:
    return task_answer(workspace_id=claim.workspace_id, task_id=claim.task_id, message="that", by="ada")


def renew(claim: Claim) -> object:
    return lease_renew(workspace_id=claim.workspace_id, claims={claim.task_id: claim.token})


def reap(claim: Claim) -> object:
    return leases_reap().total


def report(claim: Claim) -> object:
    return task_progress(claim=claim, reported=[from_worker("output", {"content": "hi"})], seqs=[7])


def snooze(claim: Claim) -> object:
    return task_snooze(claim=claim, seconds=60, reason="quota")


def decline(claim: Claim) -> object:
    return task_decline(claim=claim, worker_id="w1", reason="wrong machine")


def speak(claim: Claim) -> object:
    return task_message(workspace_id=claim.workspace_id, task_id=claim.task_id, message="hurry", by="ada")


@dataclass(frozen=True)
class Race:
    """Two writers. `after_*`: what the other gets when it comes second. `expired`, `asking`: how the task stands."""

    a: Callable[[Claim], object]
    b: Callable[[Claim], object]
    after_a: str
    after_b: str
    expired: bool = False
    asking: bool = False

    def __str__(self) -> str:
        return f"{self.a.__name__}-{self.b.__name__}"


RACES = [
    Race(finish, cancel, "task_ended", "stale_claim"),
    Race(finish, requeue, "task_ended", "stale_claim"),
    Race(finish, report, "stale_claim", "ok"),
    Race(finish, renew, "nothing", "ok"),
    Race(finish, snooze, "stale_claim", "stale_claim"),
    Race(finish, decline, "stale_claim", "stale_claim"),
    Race(finish, speak, "task_ended", "ok"),
    Race(finish, reap, "nothing", "stale_claim", expired=True),
    Race(renew, reap, "nothing", "nothing", expired=True),
    Race(report, reap, "ok", "stale_claim", expired=True),
    Race(cancel, reap, "nothing", "ok", expired=True),
    Race(requeue, reap, "nothing", "wrong_state", expired=True),
    Race(snooze, reap, "nothing", "stale_claim", expired=True),
    Race(cancel, report, "stale_claim", "ok"),
    Race(cancel, renew, "nothing", "ok"),
    Race(cancel, requeue, "task_ended", "ok"),
    Race(answer, cancel, "ok", "task_ended", asking=True),
    Race(answer, finish, "ok", "task_ended", asking=True),
    Race(answer, requeue, "ok", "wrong_state", asking=True),
    Race(answer, reap, "nothing", "ok", asking=True, expired=True),
]


def stage(cast: Cast, race: Race) -> Claim:
    claim = cast.held()
    if race.asking:
        task_progress(claim=claim, reported=[ASKED], seqs=[1])
    if race.expired:
        expire_leases()
    return claim


@pytest.mark.parametrize("race", RACES, ids=str)
@pytest.mark.parametrize("order", ["a first", "b first"])
def test_second_writer_sees_what_the_first_did(cast: Cast, first: Actor, second: Actor, race: Race, order: str) -> None:
    claim = stage(cast, race)
    ahead, behind, expected = (race.a, race.b, race.after_a) if order == "a first" else (race.b, race.a, race.after_b)
    first.begin()
    assert first.do(attempt, partial(ahead, claim)) == "ok"
    waiting = second.start(attempt, partial(behind, claim))
    wait_until_blocked(second, first)
    first.commit()
    assert waiting.result(10) == expected


@pytest.mark.parametrize("race", RACES, ids=str)
def test_what_is_rolled_back_has_not_happened(cast: Cast, first: Actor, second: Actor, race: Race) -> None:
    claim = stage(cast, race)
    first.begin()
    assert first.do(attempt, partial(race.a, claim)) == "ok"
    waiting = second.start(attempt, partial(race.b, claim))
    wait_until_blocked(second, first)
    first.roll_back()
    assert waiting.result(10) == "ok"


def test_two_messages_at_once_are_numbered_without_a_gap(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    first.begin().do(speak, claim)
    waiting = second.start(speak, claim)
    wait_until_blocked(second, first)
    first.commit()
    waiting.result(10)
    assert [event.seq for event in log.read(claim.task_id)] == [1, 2, 3, 4]


def test_same_batch_twice_at_once_is_written_once(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    first.begin().do(report, claim)
    waiting = second.start(report, claim)
    wait_until_blocked(second, first)
    first.commit()
    assert attempt(lambda: waiting.result(10)) == "ok"
    assert [event.kind for event in log.read(claim.task_id)] == ["created", "claimed", "output"]


def test_same_question_twice_at_once_is_asked_once(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    ask = partial(task_progress, claim=claim, reported=[ASKED], seqs=[1])
    first.begin().do(ask)
    waiting = second.start(ask)
    wait_until_blocked(second, first)
    first.do(answer, claim)
    first.commit()
    waiting.result(10)
    assert Task.objects.get().state == "running"


def test_same_finish_twice_at_once_is_accepted_twice_and_counts_once(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    first.begin().do(finish, claim)
    waiting = second.start(attempt, partial(finish, claim))
    wait_until_blocked(second, first)
    first.commit()
    assert waiting.result(10) == "ok"
    assert [event.kind for event in log.read(claim.task_id)] == ["created", "claimed", "completed"]


def test_two_reapers_at_once_rescue_once(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    expire_leases()
    assert first.begin().do(reap, claim) == 1
    waiting = second.start(reap, claim)
    wait_until_blocked(second, first)
    first.commit()
    assert waiting.result(10) == 0
    assert [event.kind for event in log.read(claim.task_id)] == ["created", "claimed", "requeued"]


def test_two_answers_at_once_are_one_answer(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[ASKED], seqs=[1])
    first.begin().do(answer, claim)
    waiting = second.start(attempt, partial(answer, claim))
    wait_until_blocked(second, first)
    first.commit()
    assert waiting.result(10) == "wrong_state"
