"""Claims beside each other: nobody waits, nobody gets what another has, and nobody goes away empty-handed for it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.tasks.errors import AlreadyClaimedError, StaleClaimError
from apps.tasks.models import Task
from apps.tasks.services import Claim, Claimer, Outcome, leases_reap, task_cancel, task_claim, task_finish
from apps.tasks.states import State
from tests.concurrency.actors import Actor, wait_until_blocked
from tests.factories import Cast


def claim_one(claimer: Claimer) -> Task | None:
    return next(iter(task_claim(claimer=claimer)), None)


def take_one(claimer: Claimer) -> Task:
    (task,) = task_claim(claimer=claimer)
    return task


def test_second_claimer_takes_the_next_task_without_waiting(cast: Cast, first: Actor, second: Actor) -> None:
    best, next_best = cast.task(priority=1), cast.task()
    first.begin()
    assert first.do(take_one, cast.claimer("w1")).id == best.id
    assert second.do(take_one, cast.claimer("w2")).id == next_best.id
    first.commit()
    assert {task.worker_id for task in Task.objects.all()} == {"w1", "w2"}


def test_named_task_that_another_is_taking_is_refused_without_waiting(cast: Cast, first: Actor, second: Actor) -> None:
    task = cast.task()
    first.begin().do(claim_one, cast.claimer("w1"))
    with pytest.raises(AlreadyClaimedError):
        second.do(task_claim, claimer=cast.claimer("w2"), task_id=task.id)
    first.commit()


def test_claim_that_is_rolled_back_leaves_the_task_to_others(cast: Cast, first: Actor, second: Actor) -> None:
    task = cast.task()
    first.begin().do(claim_one, cast.claimer("w1"))
    first.roll_back()
    got = second.do(take_one, cast.claimer("w2"))
    assert (got.id, got.attempt, got.worker_id) == (task.id, 1, "w2")


def test_task_that_is_being_cancelled_is_not_claimed(cast: Cast, first: Actor, second: Actor) -> None:
    task = cast.task()
    first.begin().do(task_cancel, workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    assert second.do(claim_one, cast.claimer()) is None
    first.commit()
    assert second.do(claim_one, cast.claimer()) is None


def test_cancel_of_a_task_that_is_being_claimed_ends_the_claim(cast: Cast, first: Actor, second: Actor) -> None:
    cast.task()
    held = first.begin().do(take_one, cast.claimer())
    cancel = second.start(task_cancel, workspace_id=cast.workspace.id, task_id=held.id, by="ada")
    wait_until_blocked(second, first)
    first.commit()
    assert cancel.result(10).state == "cancelled"
    assert held.claim_token is not None
    claim = Claim(cast.workspace.id, held.id, held.claim_token)
    with pytest.raises(StaleClaimError):
        task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED))


def test_task_whose_deadline_passes_is_claimed_or_failed_never_both(cast: Cast, first: Actor, second: Actor) -> None:
    task = cast.task(deadline_seconds=3600)
    first.begin().do(claim_one, cast.claimer())
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10ms'")  # the reaper below must not even try: the row it sees is in time
    assert leases_reap().expired == 0
    first.commit()
    Task.objects.update(deadline_at="2000-01-01T00:00Z")
    assert leases_reap().expired == 0
    task.refresh_from_db()
    assert task.state == "running"


def test_two_claimers_of_two_queues_get_one_task_each(cast: Cast) -> None:
    """The best of each queue is locked before one is chosen, so the other claimer finds both locked for an instant."""
    shop, till = cast.codebase("shop"), cast.codebase("till")
    together = threading.Barrier(2)

    def claim(worker_id: str) -> Task | None:
        together.wait(10)
        try:
            return claim_one(cast.claimer(worker_id, queues=[shop.id, till.id, "global"]))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            made = {cast.task(codebase_id=shop.id).id, cast.task(codebase_id=till.id).id}
            got = list(pool.map(claim, ("w1", "w2")))
            assert {task.id for task in got if task} == made


@pytest.mark.parametrize("limit", [1, 7])
def test_every_task_is_claimed_exactly_once(cast: Cast, limit: int) -> None:
    claimers, tasks = 6, 120
    shop = cast.codebase("shop")
    made = {cast.task(codebase_id=shop.id if n % 2 else "").id for n in range(tasks)}
    start = threading.Barrier(claimers)

    def claim_all(number: int) -> list[Task]:
        claimer = cast.claimer(f"w{number}", queues=[shop.id, "global"])
        start.wait(10)
        claimed: list[Task] = []
        while batch := task_claim(claimer=claimer, limit=limit):
            claimed += batch
        connection.close()
        return claimed

    with ThreadPoolExecutor(claimers) as pool:
        claimed = [task for batch in pool.map(claim_all, range(claimers)) for task in batch]
    assert len(claimed) == tasks
    assert {task.id for task in claimed} == made
    assert len({task.claim_token for task in claimed}) == tasks


def test_one_workers_own_claims_beside_each_other_are_distinct(cast: Cast) -> None:
    for _ in range(20):
        cast.task()

    def claim(_: int) -> Task | None:
        try:
            return claim_one(cast.claimer("w1"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(claim, range(20)))
    assert len({task.id for task in claimed if task}) == 20
