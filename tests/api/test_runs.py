"""The runs of tasks by REST: every attempt that a worker has made, page by page and one by one."""

import uuid

import pytest

from apps.rest import answers
from apps.tasks.models import Task
from apps.tasks.services import Outcome, task_finish, task_snooze
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.factories import Cast

PATH = "/v1/queue/runs"


def tried_twice(cast: Cast, title: str = "Mend the till") -> Task:
    """A task that its first worker gave back and its second could not do."""
    task = cast.task(title)
    task_snooze(claim=cast.held(task, "w1"), seconds=0, reason="drain")
    task.refresh_from_db()
    task_finish(claim=cast.held(task, "w2"), outcome=Outcome(status=State.FAILED, error="No till."))
    return task


def test_runs_are_listed_by_task_the_latest_first(api: Api, cast: Cast) -> None:
    first, second = tried_twice(cast), cast.task("Ring the bell")
    cast.held(second, "w3")
    cast.task("Nobody has taken it")
    page = api.get(PATH).json()
    answers.RunPage.model_validate(page)
    assert [(run["run_id"], run["status"], run["worker_id"]) for run in page["runs"]] == [
        (f"{second.id}:1", "running", "w3"), (f"{first.id}:2", "failed", "w2"), (f"{first.id}:1", "requeued", "w1"),
    ]  # fmt: skip
    assert (page["total"], page["total_capped"], page["limit"], page["offset"]) == (3, False, 50, 0)


def test_pages_cut_between_the_runs_of_a_task(api: Api, cast: Cast) -> None:
    for number in range(3):
        tried_twice(cast, f"Till {number}")
    whole = [run["run_id"] for run in api.get(PATH).json()["runs"]]
    parts = [api.get(PATH, limit=1, offset=offset).json() for offset in range(7)]
    assert [[run["run_id"] for run in part["runs"]] for part in parts] == [[name] for name in whole] + [[]]
    assert {part["total"] for part in parts} == {6}


def test_runs_are_narrowed_to_a_task_a_codebase_or_a_state(api: Api, cast: Cast) -> None:
    task, shop = tried_twice(cast), cast.codebase()
    held = cast.held(codebase_id=shop.id)
    cases: list[tuple[dict[str, object], list[uuid.UUID]]] = [
        ({"task_id": task.id}, [task.id, task.id]),
        ({"codebase_id": shop.id}, [held.task_id]),
        ({"status": "failed"}, [task.id, task.id]),
        ({"status": "pending"}, []),
        ({"task_id": "nothing"}, []),
        ({"task_id": task.id, "status": "running"}, []),
    ]
    for query, wanted in cases:
        page = api.get(PATH, **query).json()
        assert [run["task_id"] for run in page["runs"]] == [str(one) for one in wanted], query
        assert page["total"] == len(wanted), query


def test_one_run_is_what_the_list_shows_of_it(api: Api, cast: Cast) -> None:
    tried_twice(cast)
    for run in api.get(PATH).json()["runs"]:
        assert api.get(f"{PATH}/{run['run_id']}").json() == run


@pytest.mark.parametrize("number", ["0", "3", "01", "-1", "1:1", "", "one", "9" * 400])
def test_a_run_that_there_is_not_is_not_found(api: Api, cast: Cast, number: str) -> None:
    answer = api.get(f"{PATH}/{tried_twice(cast).id}:{number}")
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")


def test_runs_of_another_workspace_do_not_exist(api: Api, cast: Cast) -> None:
    theirs = tried_twice(cast.elsewhere())
    assert api.get(f"{PATH}/{theirs.id}:1").status_code == 404
    assert api.get(PATH).json()["runs"] == api.get(PATH, task_id=theirs.id).json()["runs"] == []
