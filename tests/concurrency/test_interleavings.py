"""Two connections on one task: the first has done its part and not committed, the second comes to the same row.

The table in races.py says of each pair whether the second waits and what it gets, once the first commits and once it
rolls back. In the end the row, its log and its outbox entries must be what the model says of those that counted.
"""

import pytest

from apps.tasks import log
from apps.tasks.models import Task as TaskRow
from apps.tasks.services import Claim, leases_reap
from tests.concurrency.actors import PATIENCE, Actor, wait_until_blocked
from tests.concurrency.acts import ACTS, FRESH
from tests.concurrency.races import RACES, Race
from tests.concurrency.scenes import SCENES
from tests.expiry import expire_leases
from tests.factories import Cast
from tests.model.task import Task
from tests.model.world import World


@pytest.mark.parametrize("ending", ["commit", "roll back"])
@pytest.mark.parametrize("race", RACES, ids=str)
def test_second_gets_what_the_first_leaves(cast: Cast, first: Actor, second: Actor, race: Race, ending: str) -> None:
    claim, task = SCENES[race.scene](cast)
    ahead, behind = ACTS[race.first], ACTS[race.second]
    commits = ending == "commit"
    assert first.begin().do(ahead.attempt, claim) == "ok"
    waiting = second.start(behind.attempt, claim)
    if race.waits:
        wait_until_blocked(second, first)
    else:
        waiting.result(PATIENCE)
    first.commit() if commits else first.roll_back()
    assert waiting.result(PATIENCE) == (race.committed if commits else race.rolled_back)
    if commits:
        ahead.apply(task)
    if waiting.result() == "ok" and not (commits and race.first == race.second == "finish"):
        behind.apply(task)
    assert_stands(claim, task)


def assert_stands(claim: Claim, task: Task) -> None:
    """State, attempts, token, numbering, log and outbox are the model's; the row is the fold of its log."""
    world = World.read()
    facts = world.facts()[claim.task_id]
    if task.token == FRESH:
        assert facts["token"] not in (None, claim.token), "a token was used twice"
        facts["token"] = FRESH
    assert facts == task.facts()
    world.check_folds()
    assert world.outbox == world.moves
    assert len(world.moves) == task.moves


def test_every_pair_of_the_five_that_decide_is_in_the_table() -> None:
    five = ["claim", "renew", "finish", "reap", "cancel"]
    played = {(race.first, race.second) for race in RACES}
    assert {(first, second) for first in five for second in five} <= played


def test_same_question_twice_at_once_is_asked_once(cast: Cast, first: Actor, second: Actor) -> None:
    claim, _ = SCENES["held"](cast)
    first.begin().do(ACTS["ask"].attempt, claim)
    waiting = second.start(ACTS["ask"].attempt, claim)
    wait_until_blocked(second, first)
    first.do(ACTS["answer"].attempt, claim)
    first.commit()
    assert waiting.result(PATIENCE) == "ok"
    assert TaskRow.objects.get().state == "running"


def test_reaper_held_up_at_one_task_goes_on_with_the_next(cast: Cast, first: Actor, second: Actor) -> None:
    claims = [cast.held(), cast.held()]
    expire_leases()
    first.begin().do(ACTS["renew"].attempt, claims[0])
    sweep = second.start(leases_reap)
    wait_until_blocked(second, first)
    first.commit()
    assert sweep.result(PATIENCE).requeued == 1
    assert [row.state for row in TaskRow.objects.order_by("id")] == ["running", "pending"]


def test_two_sweeps_at_once_rescue_each_task_once(cast: Cast, first: Actor, second: Actor) -> None:
    claims = [cast.held() for _ in range(10)]
    expire_leases()
    sweeps = [actor.start(leases_reap) for actor in (first, second)]
    assert sum(sweep.result(PATIENCE).requeued for sweep in sweeps) == 10
    for claim in claims:
        assert [event.kind for event in log.read(claim.task_id)] == ["created", "claimed", "requeued"]
