"""Random lives of tasks, lived by the product and by a pure model beside it. They must never differ.

One set of rules, three ways to live: the model alone, the services on PostgreSQL, and the faces over HTTP. Checked
after every step, for every task: the row as the model says, the row the fold of its log without gaps, an outbox entry
for each move and no other; and of every refusal, that it was for the right reason and changed nothing.
"""

import asyncio

import pytest
from hypothesis import HealthCheck, settings, stateful

from apps.tasks.services import finish
from tests.factories import Cast
from tests.model.by_http import ByHttp
from tests.model.by_services import ByServices
from tests.model.ground import Ground
from tests.model.limits import LimitRules
from tests.model.target import Target
from tests.model.time_rules import TimeRules
from tests.model.workers import WorkerRules


class Lives(WorkerRules, TimeRules, LimitRules):
    """All rules."""


def live(target: Target | None, *, lives: int, steps: int) -> None:
    machine: type[Ground] = type("LivesOfThisTest", (Lives,), {"target": target})
    limits = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    stateful.run_state_machine_as_test(machine, settings=limits)


@pytest.fixture(autouse=True)
def _long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause after a failure ends when a rule says so, not when a slow machine has taken a second."""
    monkeypatch.setattr(finish, "BACKOFF_FIRST", finish.BACKOFF_MOST)


def test_model_alone_keeps_its_laws() -> None:
    live(None, lives=50, steps=40)


@pytest.mark.timeout(400)  # when they differ, finding the shortest life in which they do takes its time
def test_services_live_as_the_model(transactional_db: None, cast: Cast) -> None:
    live(ByServices(cast, cast.elsewhere()), lives=36, steps=40)


@pytest.mark.timeout(400)
def test_faces_over_http_live_as_the_model(transactional_db: None, cast: Cast) -> None:
    with asyncio.Runner() as runner:
        live(ByHttp(cast, cast.elsewhere(), runner), lives=30, steps=40)
