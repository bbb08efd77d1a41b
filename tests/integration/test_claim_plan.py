"""How long a claim takes does not depend on how much was ever done: its statement reads only tasks that wait."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from apps.tasks.states import State
from tests.bench.plan import Node, blocks, nodes, plan_of
from tests.bench.rows import COLUMNS, FINISHED, copies, waiting
from tests.factories import Cast

pytestmark = pytest.mark.django_db

QUEUE = "global"
INDEX = "task_claim"
FEW_BLOCKS = 10
"""Of 8 KB, for each task found."""


@pytest.fixture(params=[50, 2_000], ids=lambda number: f"{number} waiting")
def much_was_done(cast: Cast, request: pytest.FixtureRequest) -> Iterator[None]:
    """Many finished tasks, of the same queue and of a better rank than those that wait. None of them has a log: so
    they are gone before the end of the test, when that is looked at."""
    with transaction.atomic(), connection.cursor() as cursor:
        pattern = cast.task().id
        cursor.execute(COLUMNS)
        columns = [name for (name,) in cursor.fetchall()]
        cursor.execute(copies(columns, pattern, FINISHED, 20_000))
        cursor.execute(copies(columns, pattern, waiting(QUEUE), request.param))
        cursor.execute("ANALYZE tasks_task")
        yield
        transaction.set_rollback(True)


def chooser(plan: Node) -> Node:
    """The node that finds the tasks: the one that goes by the queue's index."""
    (found,) = [node for node in nodes(plan) if node.get("Index Name") == INDEX]
    return found


@pytest.mark.parametrize("generic", [True, False], ids=["prepared", "planned anew"])
@pytest.mark.parametrize("limit", [1, 10])
def test_claim_reads_only_what_waits(cast: Cast, much_was_done: None, limit: int, generic: bool) -> None:
    plan = plan_of(cast.workspace.id, QUEUE, limit=limit, generic=generic)
    assert "Seq Scan" not in [node["Node Type"] for node in nodes(plan) if node.get("Relation Name") == "tasks_task"]
    found = chooser(plan)
    assert round(found["Actual Rows"] * found["Actual Loops"]) == limit
    assert blocks(found) <= FEW_BLOCKS * limit


def test_plan_claims_nothing(cast: Cast) -> None:
    task = cast.task()
    plan_of(cast.workspace.id, QUEUE)
    task.refresh_from_db()
    assert task.state == State.PENDING
