"""Events are numbered under their task's lock: by 1, 2, 3, whoever writes beside whom, and whatever was rolled back."""

from apps.tasks import log
from apps.tasks.reports import from_worker
from apps.tasks.services import Claim, task_message, task_progress
from tests.concurrency.actors import Actor, wait_until_blocked
from tests.factories import Cast


def speak(claim: Claim) -> None:
    task_message(workspace_id=claim.workspace_id, task_id=claim.task_id, message="hurry", by="ada")


def report(claim: Claim) -> None:
    task_progress(claim=claim, reported=[from_worker("output", {"content": word}) for word in ("a", "b")])


def kinds(claim: Claim) -> list[tuple[int, str]]:
    return [(event.seq, event.kind) for event in log.read(claim.task_id)]


def test_number_of_what_was_rolled_back_is_given_to_the_next(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    first.begin().do(speak, claim)
    first.roll_back()
    second.do(speak, claim)
    assert kinds(claim) == [(1, "created"), (2, "claimed"), (3, "message")]


def test_batches_of_two_writers_do_not_mix(cast: Cast, first: Actor, second: Actor) -> None:
    claim = cast.held()
    first.begin().do(report, claim)
    waiting = second.start(speak, claim)
    wait_until_blocked(second, first)
    first.do(report, claim)
    first.commit()
    waiting.result(10)
    assert kinds(claim)[2:] == [(3, "output"), (4, "output"), (5, "output"), (6, "output"), (7, "message")]


def test_reader_that_has_seen_a_number_has_seen_all_before_it(cast: Cast, first: Actor, second: Actor) -> None:
    """The slow writer's event can never come to stand before one that was read."""
    claim = cast.held()
    first.begin().do(speak, claim)
    waiting = second.start(report, claim)
    wait_until_blocked(second, first)
    assert kinds(claim) == [(1, "created"), (2, "claimed")]
    first.commit()
    waiting.result(10)
    assert [seq for seq, _ in kinds(claim)] == [1, 2, 3, 4, 5]
