"""The tools that make, show, list, follow and end tasks."""

from typing import Any

import pytest

from apps.tasks.services import Outcome, event_from_worker, task_finish, task_leave_question, task_progress, task_snooze
from apps.tasks.states import State
from tests.api.conftest import Api
from tests.api.tools.conftest import Caller
from tests.factories import Cast


def test_a_task_made_here_is_the_same_by_rest(ada: Caller, api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    made = ada.call("create_task", title="Mend the till", prompt="Make it ring.", codebase_id=shop.id, priority=3)
    shown = ada.call("get_task", task_id=made["task_id"])
    assert shown == api.get(f"/v1/opencode/tasks/{made['task_id']}").json()
    assert made["status"] == shown["status"] == "pending"
    assert (shown["prompt"], shown["priority"], shown["codebase_id"]) == ("Make it ring.", 3, shop.id)


def test_a_title_alone_is_the_prompt_and_description_is_another_word_for_it(ada: Caller) -> None:
    alone = ada.call("create_task", title="Mend the till")
    said = ada.call("create_task", title="Mend the till", description="Make it ring.")
    assert ada.call("get_task", task_id=alone["task_id"])["prompt"] == "Mend the till"
    assert ada.call("get_task", task_id=said["task_id"])["prompt"] == "Make it ring."


def test_what_a_task_may_take_and_which_session_it_goes_on_with_stand_in_its_metadata(ada: Caller) -> None:
    made = ada.call("create_task", title="Mend", resume_session_id="ses_1", max_minutes=5, notify_email="ada@x.org")
    task = ada.call("get_task", task_id=made["task_id"])
    assert task["session_id"] == "ses_1"
    assert task["metadata"] == {"resume_session_id": "ses_1", "max_minutes": 5.0, "notify_email": "ada@x.org"}


def test_the_same_call_with_the_same_key_is_done_once(ada: Caller) -> None:
    first = ada.call("create_task", title="Mend", idempotency_key="k1")
    assert ada.call("create_task", title="Mend", idempotency_key="k1") == first
    assert ada.refused("create_task", title="Another", idempotency_key="k1")["code"] == "idempotency_key_reused"
    assert ada.call("list_tasks")["total"] == 1


def test_null_says_nothing_and_what_a_tool_does_not_take_is_named(ada: Caller) -> None:
    result = ada.result("create_task", {"title": "Mend", "prompt": None, "priority": None, "colour": "red"})
    assert not result.is_error
    assert "colour" in result.content[-1].text  # type: ignore[union-attr]


def test_tasks_that_the_server_makes_itself_cannot_be_made(ada: Caller) -> None:
    told = ada.refused("create_task", title="Mend", agent_type="register_codebase")
    assert "agent_type" in told["errors"]
    assert ada.call("list_tasks")["total"] == 0


def test_pages_of_a_list_hold_each_task_once_though_new_ones_come(ada: Caller, cast: Cast) -> None:
    made = [str(cast.task(f"Task {number}").id) for number in range(5)]
    first = ada.call("list_tasks", limit=2)
    cast.task("A newer one")
    second = ada.call("list_tasks", limit=2, cursor=first["next_cursor"])
    third = ada.call("list_tasks", limit=2, cursor=second["next_cursor"])
    shown = [task["id"] for page in (first, second, third) for task in page["tasks"]]
    assert shown == made[::-1]
    assert third["next_cursor"] is None
    assert (first["total"], third["total"]) == (5, 6)


def test_a_list_is_never_longer_than_a_page(ada: Caller, cast: Cast) -> None:
    for number in range(51):
        cast.task(f"Task {number}")
    assert len(ada.call("list_tasks", limit=1000)["tasks"]) == 50


def test_a_list_is_narrowed_as_in_rest(ada: Caller, api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    wanted = cast.task("Paint the door", codebase_id=shop.id, context_id="c1")
    cast.task("Mend the till")
    by_place = {"codebase_id": shop.id}
    for narrowed in (
        by_place,
        {"q": "door"},
        {"conversation_id": "c1"},
        by_place | {"status": "pending"},
    ):
        found = ada.call("list_tasks", **narrowed)["tasks"]
        assert [task["id"] for task in found] == [str(wanted.id)], narrowed
    assert ada.call("list_tasks", status="running")["tasks"] == []


def test_a_cursor_of_nowhere_is_refused(ada: Caller, cast: Cast) -> None:
    theirs = cast.elsewhere().task()
    for cursor in ("x", str(theirs.id)):
        assert "cursor" in ada.refused("list_tasks", cursor=cursor)["errors"]


def test_a_task_is_cancelled_once(ada: Caller, cast: Cast) -> None:
    task = cast.task()
    assert ada.call("cancel_task", task_id=str(task.id), reason="not needed")["status"] == "cancelled"
    assert ada.call("get_task", id=str(task.id))["error"] == "not needed"
    assert ada.refused("cancel_task", task_id=str(task.id))["code"] == "task_ended"


def test_updates_are_the_log_part_by_part(ada: Caller, api: Api, cast: Cast) -> None:
    claim = cast.held()
    task_progress(claim=claim, reported=[event_from_worker("status", {"message": f"{n}"}) for n in range(5)])
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result="Rings."))
    seen: list[Any] = []
    page = ada.call("get_task_updates", task_id=str(claim.task_id), limit=3)
    while not page["ended"]:
        assert page["more"]
        seen += page["events"]
        page = ada.call("get_task_updates", task_id=str(claim.task_id), limit=3, after_seq=page["next_seq"])
    seen += page["events"]
    assert seen == api.get(f"/v1/opencode/tasks/{claim.task_id}/events").json()["events"]
    assert (page["status"], page["more"]) == ("completed", False)


def test_nothing_new_is_an_empty_page_at_the_same_place(ada: Caller, cast: Cast) -> None:
    task = cast.task()
    page = ada.call("get_task_updates", task_id=str(task.id), after_seq=1)
    assert (page["events"], page["next_seq"], page["ended"], page["more"]) == ([], 1, False, False)


def test_runs_tell_each_attempt(ada: Caller, cast: Cast) -> None:
    task = cast.task()
    task_snooze(claim=cast.held(task, "w1"), seconds=0, reason="drain")
    task.refresh_from_db()
    claim = cast.held(task, "w2")
    page = ada.call("list_task_runs", task_id=str(task.id))
    assert [(run["attempt"], run["worker_id"], run["status"]) for run in page["runs"]] == [
        (2, "w2", "running"), (1, "w1", "requeued"),
    ]  # fmt: skip
    task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="No till."))
    (latest, first) = ada.call("list_task_runs")["runs"]
    assert (latest["status"], latest["error"], first["error"]) == ("failed", "No till.", "drain")
    assert latest["seconds"] >= 0


def test_a_task_that_nobody_has_taken_has_no_runs(ada: Caller, cast: Cast) -> None:
    task = cast.task()
    assert ada.call("list_task_runs")["runs"] == []
    assert ada.call("list_task_runs", task_id=str(task.id))["runs"] == []


@pytest.mark.parametrize(
    ("answer", "message", "data"),
    [
        ({"message": "The red one."}, "The red one.", {}),
        ({"approved": True}, "approved", {"approved": True}),
        ({"approved": False, "message": "Never."}, "Never.", {"approved": False}),
        ({"option_id": "once"}, "once", {"option_id": "once"}),
    ],
)
def test_an_answer_is_heard(ada: Caller, cast: Cast, answer: Any, message: str, data: Any) -> None:
    claim = cast.held()
    task_leave_question(claim=claim, question="Which till?", options=[])
    assert ada.call("answer_task", task_id=str(claim.task_id), **answer)["status"] == "pending"
    last = ada.call("get_task_updates", task_id=str(claim.task_id))["events"][-1]
    assert (last["kind"], last["data"]["message"], last["data"]["data"]) == ("answered", message, data)


def test_no_answer_is_none(ada: Caller, cast: Cast) -> None:
    claim = cast.held()
    assert ada.refused("answer_task", task_id=str(claim.task_id), message="Now?")["code"] == "wrong_state"
    assert "message" in ada.refused("answer_task", task_id=str(claim.task_id), message="  ")["errors"]
