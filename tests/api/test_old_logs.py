"""Faces of a task whose old log was compacted: each shows what is left, and says what is gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Outcome, events_compact, task_finish, task_progress
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.factories import Cast

GONE = {"first_seq": 3, "last_seq": 5, "events": 3, "kinds": {"output": 3}}


@pytest.fixture
def task(cast: Cast) -> Task:
    """Seqs 3 to 5 of its log are gone."""
    claim = cast.held()
    task_progress(claim=claim, reported=[from_worker("output", {"content": "hm"})] * 3)
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="all green"))
    Task.objects.update(completed_at=timezone.now() - timedelta(days=100))
    events_compact(days=90)
    return Task.objects.get()


def test_log_over_rest_says_what_is_gone(api: Api, task: Task) -> None:
    page = api.get(f"/v1/opencode/tasks/{task.id}/events", after_seq=4).json()
    assert [(event["seq"], event["kind"]) for event in page["events"]] == [(5, "compacted"), (6, "completed")]
    assert page["events"][0]["data"] == GONE


def test_output_is_empty_and_the_result_stays(api: Api, task: Task) -> None:
    assert api.get(f"/v1/opencode/tasks/{task.id}/output").json()["output"] == []
    assert api.get(f"/v1/opencode/tasks/{task.id}").json()["result"] == "all green"


def test_a2a_still_gives_the_result_as_the_artifact(api: Api, task: Task) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": str(task.id)}}
    found = api.post("/a2a/jsonrpc", call).json()["result"]
    assert found["status"]["state"] == "completed"
    assert found["artifacts"][0]["parts"][0]["text"] == "all green"


@pytest.mark.parametrize(("last_id", "seqs"), [("", [1, 2, 5, 6]), ("3", [5, 6]), ("5", [6]), ("6", [])])
def test_stream_resumes_at_any_old_place(api: Api, task: Task, last_id: str, seqs: list[int]) -> None:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    answer = api.call("GET", f"/v1/opencode/tasks/{task.id}/output/stream", headers=headers)
    told = [line.removeprefix("id: ") for line in answer.text.splitlines() if line.startswith("id: ")]
    assert [int(one) for one in told] == seqs
