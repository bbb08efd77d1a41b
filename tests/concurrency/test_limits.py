"""Limits and pauses while claims are being made: never more than allowed, and every place comes back."""

from functools import partial

import pytest

from apps.tasks.models import QueueLimit, Task, TaskEvent
from apps.tasks.services import Claim, leases_reap, limit_set, queue_pause, queue_resume, task_claim
from tests.concurrency.actors import PATIENCE, Actor, wait_until_blocked
from tests.concurrency.acts import ACTS
from tests.concurrency.crowds import Crowd, count, most_held_by_log
from tests.expiry import expire_leases
from tests.factories import Cast

MOST = 2
PLACES = {"workspace": "", "codebase": "shop", "worker": "w1", "key": "k1"}
HELD = "lease_expires_at IS NOT NULL"


def bind(cast: Cast, most: int | None, kind: str = "workspace", key: str = "") -> QueueLimit | None:
    return limit_set(workspace_id=cast.workspace.id, kind=kind, key=key, most=most, by="ada")


def pause(cast: Cast) -> QueueLimit | None:
    return queue_pause(workspace_id=cast.workspace.id, kind="workspace", by="ada")


def claims(cast: Cast, worker: str = "w1", limit: int = 9) -> list[Task]:
    return task_claim(claimer=cast.claimer(worker), limit=limit)


def claim_of(task: Task) -> Claim:
    assert task.claim_token is not None
    return Claim(task.workspace_id, task.id, task.claim_token)


@pytest.mark.parametrize("kinds", [[kind] for kind in PLACES] + [list(PLACES)], ids=", ".join)
def test_crowd_never_holds_more_than_the_limit(cast: Cast, kinds: list[str]) -> None:
    cast.codebase("shop", id="shop")
    for kind in kinds:
        bind(cast, MOST, kind, PLACES[kind])
    for _ in range(16):
        cast.task(codebase_id="shop", concurrency_key="k1")
    seen: list[int] = []
    crowd = Crowd(cast, ["shop"], ["w1"] if "worker" in kinds else ["w1", "w2", "w3", "w4"])
    given = crowd.run(lambda: seen.append(count(HELD)))
    assert given >= 16
    assert max(seen) <= MOST
    assert 1 <= most_held_by_log() <= MOST
    assert set(QueueLimit.objects.values_list("held", flat=True)) == {0}


@pytest.mark.parametrize("ending", ["commit", "roll back"])
def test_last_place_goes_to_one_of_two(cast: Cast, first: Actor, second: Actor, ending: str) -> None:
    bind(cast, 1)
    cast.task(), cast.task()
    assert len(first.begin().do(claims, cast, "w1", 1)) == 1
    waiting = second.start(claims, cast, "w2", 1)
    wait_until_blocked(second, first)
    first.commit() if ending == "commit" else first.roll_back()
    assert len(waiting.result(PATIENCE)) == (0 if ending == "commit" else 1)
    assert count(HELD) == QueueLimit.objects.get().held == 1


@pytest.mark.parametrize("way", ["finish", "fail", "retry", "cancel", "reap", "snooze", "decline", "requeue", "leave"])
@pytest.mark.parametrize("ending", ["commit", "roll back"])
def test_place_comes_back_once_the_holder_has_let_go(
    cast: Cast, first: Actor, second: Actor, way: str, ending: str
) -> None:
    bind(cast, 1)
    cast.task(priority=1), cast.task()
    (held,) = claims(cast)
    expire_leases()
    assert first.begin().do(ACTS[way].attempt, claim_of(held)) == "ok"
    assert second.do(claims, cast, "w2") == [], "a place that is not free yet was given away"
    first.commit() if ending == "commit" else first.roll_back()
    assert len(second.do(claims, cast, "w2")) == (1 if ending == "commit" else 0)
    assert count(HELD) == QueueLimit.objects.get().held == 1


@pytest.mark.parametrize("act", ["renew", "report", "ask", "speak"])
def test_place_is_kept_by_whoever_goes_on(cast: Cast, act: str) -> None:
    bind(cast, 1)
    cast.task(), cast.task()
    (held,) = claims(cast)
    ACTS[act].do(claim_of(held))
    assert claims(cast, "w2") == []


def test_limit_lowered_beside_a_claim_counts_it(cast: Cast, first: Actor, second: Actor) -> None:
    bind(cast, 5)
    for _ in range(3):
        cast.task()
    first.begin().do(claims, cast, "w1", 2)
    lowering = second.start(bind, cast, 1)
    wait_until_blocked(second, first)
    first.commit()
    limit = lowering.result(PATIENCE)
    assert limit is not None
    assert (limit.most, limit.held) == (1, 2)
    assert claims(cast) == []


def test_nothing_is_granted_until_what_is_held_fits_the_lowered_limit(cast: Cast) -> None:
    for _ in range(4):
        cast.task()
    held = claims(cast, limit=3)
    bind(cast, 3)
    bind(cast, 1)
    for task in held:
        assert claims(cast) == []
        ACTS["finish"].do(claim_of(task))
    assert len(claims(cast)) == 1


def test_first_limit_of_its_kind_counts_claims_in_flight_with_the_next_sweep(cast: Cast, first: Actor) -> None:
    cast.task(), cast.task()
    first.begin().do(claims, cast, "w1", 1)
    bind(cast, 1)
    first.commit()
    leases_reap()
    assert QueueLimit.objects.get().held == 1
    assert claims(cast, "w2") == []


def test_raised_limit_lets_pass_at_once(cast: Cast) -> None:
    for _ in range(3):
        cast.task()
    bind(cast, 1)
    assert len(claims(cast)) == 1
    bind(cast, 2)
    assert len(claims(cast)) == 1
    bind(cast, None)
    assert len(claims(cast)) == 1


def test_pause_waits_for_the_claim_that_is_being_made(cast: Cast, first: Actor, second: Actor) -> None:
    bind(cast, 5)
    cast.task(), cast.task()
    first.begin().do(claims, cast, "w1", 1)
    pausing = second.start(pause, cast)
    wait_until_blocked(second, first)
    first.commit()
    pausing.result(PATIENCE)
    assert claims(cast) == []


def test_claim_beside_a_pause_finds_nothing(cast: Cast, first: Actor, second: Actor) -> None:
    bind(cast, 5)
    cast.task()
    first.begin().do(pause, cast)
    claiming = second.start(claims, cast)
    wait_until_blocked(second, first)
    first.commit()
    assert claiming.result(PATIENCE) == []
    assert TaskEvent.objects.filter(kind="claimed").count() == 0


def test_claims_that_begin_after_the_first_pause_find_nothing(cast: Cast, first: Actor, second: Actor) -> None:
    cast.task(), cast.task()
    first.begin().do(claims, cast, "w1", 1)
    second.do(pause, cast)
    assert second.do(claims, cast, "w2") == []
    first.commit()
    assert second.do(claims, cast, "w2") == []


def test_resumed_queue_is_claimed_again(cast: Cast) -> None:
    cast.task()
    pause(cast)
    assert claims(cast) == []
    queue_resume(workspace_id=cast.workspace.id, kind="workspace", by="ada")
    assert len(claims(cast)) == 1


@pytest.mark.parametrize("ending", ["commit", "roll back"])
def test_limit_taken_away_while_another_sets_it(cast: Cast, first: Actor, second: Actor, ending: str) -> None:
    bind(cast, 5)
    first.begin().do(bind, cast, None)
    setting = second.start(partial(bind, cast, 2))
    wait_until_blocked(second, first)
    first.commit() if ending == "commit" else first.roll_back()
    assert setting.result(PATIENCE) is not None
    assert QueueLimit.objects.get().most == 2
