"""Limits and pauses: what a claim may not take, and when it may again."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.core.errors import CodeTetherError, InvalidError, NotFoundError
from apps.tasks.models import QueueLimit, Task
from apps.tasks.services import (
    Claim,
    Outcome,
    event_from_worker,
    leases_reap,
    limit_set,
    queue_pause,
    queue_resume,
    task_answer,
    task_cancel,
    task_claim,
    task_decline,
    task_finish,
    task_leave_question,
    task_progress,
    task_requeue,
    task_snooze,
)
from apps.tasks.services.limits import limits_adopt
from apps.tasks.states import State
from tests.expiry import expire_leases
from tests.factories import Cast


def claims(cast: Cast, limit: int = 10, worker_id: str = "w1", **more: Any) -> list[Task]:
    return task_claim(claimer=cast.claimer(worker_id, **more), limit=limit)


def limited(cast: Cast, most: int | None, kind: str = "workspace", key: str = "") -> QueueLimit | None:
    return limit_set(workspace_id=cast.workspace.id, kind=kind, key=key, most=most, by="ada")


def hold(task: Task) -> Claim:
    assert task.claim_token is not None
    return Claim(task.workspace_id, task.id, task.claim_token)


def held(kind: str = "workspace") -> int:
    return QueueLimit.objects.get(kind=kind).held


def test_workspace_limit_bounds_a_batch(cast: Cast) -> None:
    for _ in range(5):
        cast.task()
    limited(cast, 3)
    assert len(claims(cast)) == 3
    assert claims(cast, worker_id="w2") == []
    assert held() == 3


def test_codebase_limit_leaves_other_queues_open(cast: Cast) -> None:
    shop, till = cast.codebase("shop"), cast.codebase("till")
    tasks = [cast.task(codebase_id=codebase.id) for codebase in (shop, shop, till, till)]
    limited(cast, 1, "codebase", shop.id)
    taken = claims(cast, queues=[shop.id, till.id])
    assert [task.id for task in taken] == [tasks[0].id, tasks[2].id, tasks[3].id]


def test_global_queue_can_be_limited(cast: Cast) -> None:
    cast.task(), cast.task()
    limited(cast, 1, "codebase", "global")
    assert len(claims(cast)) == 1


def test_worker_limit_binds_that_worker_only(cast: Cast) -> None:
    for _ in range(4):
        cast.task()
    limited(cast, 1, "worker", "w1")
    assert len(claims(cast)) == 1
    assert claims(cast) == []
    assert len(claims(cast, worker_id="w2")) == 3


def test_tasks_of_a_key_share_its_limit_and_others_pass_them(cast: Cast) -> None:
    first, second = cast.task(concurrency_key="deploy"), cast.task(concurrency_key="deploy")
    other = cast.task()
    limited(cast, 1, "key", "deploy")
    assert [task.id for task in claims(cast)] == [first.id, other.id]
    assert claims(cast) == []
    task_finish(claim=hold(Task.objects.get(id=first.id)), outcome=Outcome(status=State.COMPLETED))
    assert [task.id for task in claims(cast)] == [second.id]


def test_every_limit_that_bears_on_a_task_must_have_room(cast: Cast) -> None:
    cast.task(concurrency_key="deploy")
    limited(cast, 5)
    limited(cast, 1, "key", "deploy")
    claims(cast)
    cast.task(concurrency_key="deploy")
    assert claims(cast) == []
    assert (held(), held("key")) == (1, 1)


def ways_to_let_go() -> list[tuple[str, Callable[[Cast, Claim], object]]]:
    def reap(cast: Cast, claim: Claim) -> None:
        expire_leases()
        leases_reap()

    def to(status: State, **more: Any) -> Callable[[Cast, Claim], object]:
        return lambda cast, claim: task_finish(claim=claim, outcome=Outcome(status=status, **more))

    def client(service: Callable[..., object]) -> Callable[[Cast, Claim], object]:
        return lambda cast, claim: service(workspace_id=claim.workspace_id, task_id=claim.task_id, by="ada")

    return [
        ("completed", to(State.COMPLETED)),
        ("failed", to(State.FAILED)),
        ("failed, to be retried", to(State.FAILED, retry=True)),
        ("rejected", to(State.REJECTED)),
        ("cancelled", client(task_cancel)),
        ("requeued", client(task_requeue)),
        ("snoozed", lambda cast, claim: task_snooze(claim=claim, seconds=9, reason="quota")),
        ("declined", lambda cast, claim: task_decline(claim=claim, worker_id="w1", reason="no")),
        ("left with a question", lambda cast, claim: task_leave_question(claim=claim, question="?", options=[])),
        ("reaped", reap),
    ]


@pytest.mark.parametrize(("way", "let_go"), ways_to_let_go(), ids=[way for way, _ in ways_to_let_go()])
def test_every_end_of_a_lease_gives_the_place_back(
    cast: Cast, way: str, let_go: Callable[[Cast, Claim], object]
) -> None:
    cast.task()
    limited(cast, 1)
    (task,) = claims(cast)
    cast.task()
    assert claims(cast) == []
    let_go(cast, hold(task))
    assert held() == 0
    assert len(claims(cast)) == 1


def test_a_finish_said_twice_gives_one_place_back(cast: Cast) -> None:
    cast.task(), cast.task(), cast.task()
    limited(cast, 2)
    first, _ = claims(cast)
    for _ in range(2):
        task_finish(claim=hold(first), outcome=Outcome(status=State.COMPLETED))
    assert held() == 1
    assert len(claims(cast)) == 1


def test_a_question_keeps_its_place_while_the_agent_waits(cast: Cast) -> None:
    cast.task()
    limited(cast, 1)
    (task,) = claims(cast)
    task_progress(claim=hold(task), reported=[event_from_worker("input_required", {"question": "Which?"})])
    assert held() == 1
    task_answer(workspace_id=cast.workspace.id, task_id=task.id, message="that", by="ada")
    assert held() == 1


def test_new_limit_counts_what_is_held_already(cast: Cast) -> None:
    cast.task(), cast.task(), cast.task()
    claims(cast, limit=2)
    limited(cast, 2)
    assert held() == 2
    assert claims(cast) == []


def test_lowered_limit_lets_nothing_pass_until_it_fits(cast: Cast) -> None:
    for _ in range(4):
        cast.task()
    limited(cast, 3)
    running = claims(cast)
    limited(cast, 2)
    task_finish(claim=hold(running[0]), outcome=Outcome(status=State.COMPLETED))
    assert claims(cast) == []
    task_finish(claim=hold(running[1]), outcome=Outcome(status=State.COMPLETED))
    assert len(claims(cast)) == 1


def test_raised_limit_lets_more_pass(cast: Cast) -> None:
    cast.task(), cast.task()
    limited(cast, 1)
    claims(cast)
    limited(cast, 2)
    assert len(claims(cast)) == 1


def test_limit_can_be_taken_away(cast: Cast) -> None:
    cast.task(), cast.task()
    limited(cast, 1)
    (task,) = claims(cast)
    assert limited(cast, None) is None
    assert len(claims(cast)) == 1
    task_finish(claim=hold(task), outcome=Outcome(status=State.COMPLETED))
    assert not QueueLimit.objects.exists()


def test_claim_that_was_being_made_when_the_limit_came_is_adopted(cast: Cast) -> None:
    cast.task()
    claims(cast)
    limited(cast, 1)
    Task.objects.update(limit_ids=[])  # as if the claim had committed just after the limit had looked
    QueueLimit.objects.update(held=0)
    assert limits_adopt() == 1
    assert held() == 1


@pytest.mark.parametrize("kind", ["workspace", "codebase", "worker", "key"])
def test_pause_lets_nothing_pass_until_it_is_resumed(cast: Cast, kind: str) -> None:
    key = {"workspace": "", "codebase": "global", "worker": "w1", "key": "deploy"}[kind]
    cast.task(concurrency_key="deploy")
    place = {"workspace_id": cast.workspace.id, "kind": kind, "key": key, "by": "ada"}
    queue_pause(**place, reason="a release")
    queue_pause(**place, reason="a release")
    assert claims(cast) == []
    assert queue_resume(**place) is None
    queue_resume(**place)
    assert len(claims(cast)) == 1


def test_pause_keeps_the_limit(cast: Cast) -> None:
    cast.task(), cast.task()
    limited(cast, 1)
    place = {"workspace_id": cast.workspace.id, "kind": "workspace", "by": "ada"}
    queue_pause(**place)
    assert queue_resume(**place) is not None
    assert len(claims(cast)) == 1


def test_what_runs_goes_on_in_a_pause(cast: Cast) -> None:
    task = cast.held()
    queue_pause(workspace_id=cast.workspace.id, kind="workspace", by="ada")
    assert task_finish(claim=task, outcome=Outcome(status=State.COMPLETED)).state == State.COMPLETED


def test_limits_of_another_workspace_bind_nobody_here(cast: Cast) -> None:
    limited(cast.elsewhere(), 1)
    queue_pause(workspace_id=cast.elsewhere().workspace.id, kind="codebase", key="global", by="eve")
    cast.task(), cast.task()
    assert len(claims(cast)) == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"kind": "planet", "key": "x"}, InvalidError),
        ({"kind": "workspace", "key": "x"}, InvalidError),
        ({"kind": "key", "key": ""}, InvalidError),
        ({"kind": "key", "key": "x" * 201}, InvalidError),
        ({"kind": "key", "key": "x", "most": 0}, InvalidError),
        ({"kind": "codebase", "key": "unknown"}, NotFoundError),
    ],
)
def test_bad_limits_are_refused_and_nothing_is_set(
    cast: Cast, wrong: dict[str, Any], error: type[CodeTetherError]
) -> None:
    with pytest.raises(error):
        limit_set(workspace_id=cast.workspace.id, **{"most": 1, "by": "ada"} | wrong)
    assert not QueueLimit.objects.exists()


def test_codebase_of_another_workspace_cannot_be_limited(cast: Cast) -> None:
    theirs = cast.elsewhere().codebase()
    with pytest.raises(NotFoundError):
        limited(cast, 1, "codebase", theirs.id)
    assert not QueueLimit.objects.exists()
