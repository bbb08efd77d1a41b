"""How many tasks there are is told exactly, whatever is still in the outbox, and without reading what has ended."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import counting
from apps.tasks.jobs import ended_recount as recount_job
from apps.tasks.models import EndedTotal, OutboxEntry, Task
from apps.tasks.selectors import TaskFilter, open_counts, queue_counts, tasks, tasks_counted, totals
from apps.tasks.selectors import counting as counting_of_tasks
from apps.tasks.services import Change, Outcome, ended_recount, outbox, outbox_dispatch, task_cancel, task_finish
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.factories import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(cast: Cast) -> Cast:
    """Two completed, one failed, two cancelled; one waits, one runs, and another workspace has one of its own."""
    for status in (State.COMPLETED, State.COMPLETED, State.FAILED):
        task_finish(claim=cast.held(), outcome=Outcome(status=status, error="x" if status == State.FAILED else ""))
    for _ in range(2):
        task_cancel(workspace_id=cast.workspace.id, task_id=cast.task().id, by="ada")
    cast.held()
    cast.task()
    cast.elsewhere().task()
    return cast


def by_state(found: dict[str, int]) -> dict[str, int]:
    return {state: number for state, number in found.items() if number}


def truth(cast: Cast) -> Counter[str]:
    """Counted one by one."""
    return Counter(Task.objects.filter(workspace=cast.workspace).values_list("state", flat=True))


def test_counts_are_exact_at_every_step_of_the_outbox(ended: Cast) -> None:
    told = truth(ended)
    for _ in range(OutboxEntry.objects.count()):
        assert by_state(queue_counts(ended.workspace.id)) == told
        assert outbox_dispatch(limit=1) == 1
    assert by_state(queue_counts(ended.workspace.id)) == told
    assert by_state(dict(totals().by_state)) == {**told, "pending": 2}
    kept = dict(EndedTotal.objects.values_list("state", "number"))
    assert kept == {"completed": 2, "failed": 1, "cancelled": 2}
    assert by_state(open_counts(ended.workspace.id)) == {"pending": 1, "running": 1}


def test_entry_that_a_consumer_refuses_is_counted_once(ended: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(changes: list[Change]) -> None:
        if any(change.kind == "failed" for change in changes):
            raise ValueError

    monkeypatch.setattr(outbox, "_consumers", [refuse])
    outbox_dispatch()
    assert OutboxEntry.objects.get().kind == "failed"
    assert by_state(queue_counts(ended.workspace.id)) == truth(ended)


def test_wrong_numbers_are_mended_and_told_of(ended: Cast, caplog: pytest.LogCaptureFixture) -> None:
    outbox_dispatch(limit=12)
    assert OutboxEntry.objects.exists()
    assert ended_recount() == 0
    EndedTotal.objects.update(number=70)
    EndedTotal.objects.filter(state="completed").delete()
    recount_job()
    assert "numbers of ended tasks that were wrong" in caplog.text
    assert by_state(queue_counts(ended.workspace.id)) == truth(ended)


def test_lists_are_counted_so_far_and_say_so(ended: Cast, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNT_LIMIT", 3)
    told = api.get("/v1/opencode/codebases/global/tasks", limit=1).json()
    assert (told["total"], told["total_capped"], len(told["tasks"])) == (3, True, 1)
    told = api.get("/v1/opencode/tasks", agent_type="plan").json()
    assert (told["total"], told["total_capped"]) == (0, False)


@pytest.mark.parametrize(("query", "number"), [({}, 7), ({"status": "cancelled"}, 2), ({"status": "pending"}, 1)])
def test_all_tasks_and_those_of_a_state_are_counted_exactly(
    ended: Cast, api: Api, monkeypatch: pytest.MonkeyPatch, query: dict[str, str], number: int
) -> None:
    monkeypatch.setattr(counting, "COUNT_LIMIT", 0)
    told = api.get("/v1/opencode/tasks", **query).json()
    assert (told["total"], told["total_capped"]) == (number, False)


def test_one_statement_tells_all_numbers(ended: Cast) -> None:
    """So a task that moves meanwhile is in exactly one of them."""
    with CaptureQueriesContext(connection) as asked:
        assert tasks_counted(ended.workspace.id, TaskFilter(), Task.objects.none()).number == 7
    assert len(asked) <= 1


def test_words_are_sought_among_the_latest_and_it_is_said_where_there_are_more(
    ended: Cast, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended.task(title="Paint 100 % of the fence_\\")
    ended.task()
    for words in ("paint 100 % of", "FENCE_\\"):
        told = api.get("/v1/opencode/tasks", q=words).json()
        assert (told["total"], told["total_capped"], len(told["tasks"])) == (1, False, 1)
    assert api.get("/v1/opencode/tasks", q="p%t").json()["total"] == 0
    for module in (tasks, counting_of_tasks):
        monkeypatch.setattr(module, "LOOKED_AT", 1)
    told = api.get("/v1/opencode/tasks", q="paint").json()
    assert (told["total"], told["total_capped"]) == (0, True)
