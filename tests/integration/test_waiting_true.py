"""Why tasks wait is true: what is next in line a worker can claim, what is not it cannot; and the counts add up."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from django.db import transaction

from apps.tasks.errors import AlreadyClaimedError
from apps.tasks.models import Task
from apps.tasks.services import Claimer, task_claim
from apps.workers.models import Worker
from apps.workers.selectors import claimer_of
from apps.workers.waiting import CODES, NEXT_IN_LINE
from tests.factories import Cast
from tests.integration.chance import Chance, counted, reason_of, words

SEEDS = range(8)


@pytest.fixture(params=SEEDS)
def chance(request: pytest.FixtureRequest, cast: Cast) -> Chance:
    drawn = Chance(cast, random.Random(request.param))  # noqa: S311
    drawn.furnish()
    return drawn


def waiting_in(cast: Cast) -> list[Task]:
    return list(Task.objects.filter(workspace=cast.workspace, state="pending"))


def who_would_ask(cast: Cast) -> list[Claimer]:
    """The workers that take new tasks and, by their own word, have a hand free."""
    here = Worker.objects.filter(workspace=cast.workspace, draining=False, unregistered_at=None)
    running = Counter(
        Task.objects.filter(workspace=cast.workspace, state="running").values_list("worker_id", flat=True)
    )
    free = [one for one in here if one.concurrency is None or running[one.worker_id] < one.concurrency]
    return [claimer_of(one) for one in free]


def gets(claimer: Claimer, task: Task | None) -> list[Task]:
    """What a claim would give; it is taken back at once."""
    with transaction.atomic():
        try:
            return task_claim(claimer=claimer, task_id=task.id if task else None)
        except AlreadyClaimedError:
            return []
        finally:
            transaction.set_rollback(True)


def test_next_in_line_is_exactly_what_a_worker_can_claim(chance: Chance) -> None:
    claimers = who_would_ask(chance.cast)
    for task in waiting_in(chance.cast):
        takers = [claimer.worker_id for claimer in claimers if gets(claimer, task)]
        assert bool(takers) is (reason_of(task) == NEXT_IN_LINE.code), f"{words(task)}; {takers} could take it"


def test_the_first_in_line_is_what_the_next_claim_of_its_queue_gives(chance: Chance) -> None:
    claimers = who_would_ask(chance.cast)
    for task in waiting_in(chance.cast):
        if words(task) == NEXT_IN_LINE.text:
            given = [gets(replace(claimer, queues=[task.queue]), None) for claimer in claimers]
            assert [task] in given


def test_reasons_of_all_tasks_add_up_to_the_counts(chance: Chance) -> None:
    other = Chance(chance.cast.elsewhere(), chance.draw)
    other.furnish()
    here, there = (Counter(map(reason_of, waiting_in(cast))) for cast in (chance.cast, other.cast))
    assert counted(chance.cast) == here
    assert counted(other.cast) == there
    assert counted(None) == here + there


def test_the_scenes_know_most_reasons(cast: Cast) -> None:
    """So that the tests above are about something."""
    found: set[str] = set()
    for seed in SEEDS:
        drawn = Chance(cast.elsewhere(), random.Random(seed))  # noqa: S311
        drawn.furnish()
        found |= counted(drawn.cast).keys()
    assert len(found) >= len(CODES) - 2, set(CODES) - found
