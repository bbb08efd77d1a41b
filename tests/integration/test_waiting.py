"""Why a pending task waits: one reason, the first that is in the way, and in words that are true."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tasks.models import Task
from apps.workers.models import Worker
from apps.workers.services import worker_drain, worker_heartbeat
from apps.workers.waiting import CODES, NEXT_IN_LINE, why_pending
from tests.factories import Cast
from tests.integration.chance import (
    MODEL,
    REVIEWER,
    changed,
    counted,
    declines,
    limited,
    paused,
    reason_of,
    without,
    words,
    worker,
)

# What stands in the way of a task: each step takes it and puts one thing there ----------------------------------------

Obstacle = Callable[[Cast, Task], object]


def _soon(cast: Cast, task: Task) -> None:
    changed(task, available_at=timezone.now() + timedelta(minutes=5))


def _over(cast: Cast, task: Task) -> None:
    changed(task, deadline_at=timezone.now() - timedelta(seconds=1))


def _full(kind: str, key: str = "") -> Obstacle:
    def fill(cast: Cast, task: Task) -> None:
        if not Task.objects.filter(state="running").exists():
            cast.held(worker_id="w1", concurrency_key="deploy")
        limited(cast, kind, key)

    return fill


OBSTACLES: dict[str, Obstacle] = {
    "deadline_passed": _over,
    "not_before": _soon,
    "paused": lambda cast, task: paused(cast, "workspace"),
    "no_worker": lambda cast, task: without(unregistered_at=timezone.now()),
    "no_session_worker": lambda cast, task: without(worker_id="w2"),
    "no_codebase_worker": lambda cast, task: without(global_codebase_id=""),
    "declined": lambda cast, task: declines(cast, task, "w1"),
    "no_role": lambda cast, task: without(agents=[]),
    "no_model": lambda cast, task: without(offered_models=[]),
    "no_capability": lambda cast, task: without(capabilities=[]),
    "workspace_limit": _full("workspace"),
    "codebase_limit": _full("codebase", "global"),
    "key_limit": _full("key", "deploy"),
    "workers_busy": _full("worker", "w1"),
    "next_in_line": lambda cast, task: None,
}


@pytest.fixture
def task(cast: Cast) -> Task:
    """One that the worker w1 could take at once."""
    worker(cast, models=[MODEL], agents=[REVIEWER], capabilities=["gpu"])
    return cast.task(
        model="acme/large", target_agent="reviewer", requires=["gpu", "worker:w1"], concurrency_key="deploy"
    )


def test_every_code_has_its_obstacle() -> None:
    assert list(OBSTACLES) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_what_alone_is_in_the_way_is_the_reason(cast: Cast, task: Task, code: str) -> None:
    OBSTACLES[code](cast, task)
    assert reason_of(task) == code
    assert counted(cast) == {code: 1}


IN_ORDER = [(first, second) for first, second in zip(CODES, CODES[1:-1], strict=False)]


@pytest.mark.parametrize(("first", "second"), IN_ORDER)
def test_of_two_the_first_in_the_way_is_the_reason(cast: Cast, task: Task, first: str, second: str) -> None:
    OBSTACLES[second](cast, task)
    OBSTACLES[first](cast, task)
    assert reason_of(task) == first
    assert counted(cast) == {first: 1}


def test_task_that_is_not_pending_waits_for_nothing(cast: Cast) -> None:
    held = Task.objects.get(id=cast.held().task_id)
    assert why_pending(held) is None
    assert counted(cast) == {}


# The words -----------------------------------------------------------------------------------------------------------


def test_pause_says_whose_and_why(cast: Cast, task: Task) -> None:
    paused(cast, "key", "deploy", reason="a release")
    assert words(task) == "its concurrency key is paused by ada: a release"


def test_limit_says_how_full_it_is(cast: Cast, task: Task) -> None:
    OBSTACLES["workspace_limit"](cast, task)
    assert words(task) == "the workspace is at its limit (1 of 1 held)"


def test_missing_model_is_missing_where_all_else_is_there(cast: Cast) -> None:
    worker(cast, "w1", agents=[REVIEWER])
    worker(cast, "w2", models=[MODEL])
    waits = cast.task(model="acme/large", target_agent="reviewer")
    assert words(waits) == "no worker with a global codebase and the agent reviewer runs the model acme/large"
    declines(cast, waits, "w3")
    assert words(waits).startswith("no other worker with")


def test_capabilities_are_named(cast: Cast) -> None:
    worker(cast)
    assert words(cast.task(requires=["gpu", "docker"])).endswith("has all of: docker, gpu")


def test_single_capability_and_who_keeps_the_session_are_named(cast: Cast) -> None:
    worker(cast)
    assert words(cast.task(requires=["codex"])) == "no worker with a global codebase has codex"
    assert words(cast.task(requires=["codex", "worker:w9"])) == "no connected worker has the session kept by w9"
    kept = cast.task(requires=["codex", "worker:w1"])
    assert words(kept) == "no worker with the session kept by w1 and a global codebase has codex"


def test_worker_that_drains_is_connected_and_takes_nothing(cast: Cast) -> None:
    task = cast.task()
    worker(cast)
    worker_drain(workspace_id=cast.workspace.id, worker_id="w1", draining=True, by="otto")
    assert words(task) == "every connected worker is draining: it takes nothing new"
    worker(cast, "w2", global_codebase_id="")
    assert words(task) == "no connected worker has a global codebase (not counting those that drain)"


def test_worker_that_is_being_shut_down_takes_nothing_although_it_is_connected(cast: Cast) -> None:
    task = cast.task()
    worker(cast)
    worker_heartbeat(workspace_id=cast.workspace.id, worker_id="w1", claims=[], stopping=True)
    assert words(task) == "every connected worker is draining: it takes nothing new"


@pytest.mark.parametrize(
    ("hinder", "how"),
    [
        (lambda cast, task: paused(cast, "worker", "w1"), "paused"),
        (OBSTACLES["workers_busy"], "at its limit"),
        (lambda cast, task: (Worker.objects.update(concurrency=1), cast.held(worker_id="w1")), "at its limit"),
    ],
)
def test_busy_workers_are_busy_by_pause_limit_or_their_own_word(cast: Cast, hinder: Obstacle, how: str) -> None:
    worker(cast)
    waits = cast.task()
    hinder(cast, waits)
    assert (reason_of(waits), words(waits)) == ("workers_busy", f"the only worker that could take it is {how}")
    worker(cast, "w2")
    assert reason_of(waits) == NEXT_IN_LINE.code


def test_line_is_counted(cast: Cast) -> None:
    worker(cast)
    first, second = cast.task(), cast.task()
    assert words(first) == NEXT_IN_LINE.text
    assert words(second) == "in line behind 1 of its queue"


def test_who_will_be_passed_over_is_not_counted(cast: Cast) -> None:
    worker(cast)
    cast.task(model="acme/none"), cast.task()
    assert words(cast.task()) == "in line behind 1 of its queue"
