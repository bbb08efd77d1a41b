"""The tools that speak with agents, and what a conversation is."""

from typing import Any

import pytest

from apps.tasks.models import Task
from apps.tasks.services import (
    Claim,
    Outcome,
    event_from_worker,
    task_finish,
    task_leave_question,
    task_progress,
)
from apps.tasks.states import State
from tests.api.tools.conftest import Caller, Json
from tests.factories import Cast


@pytest.fixture(autouse=True)
def _soon(settings: Any) -> None:
    settings.A2A_BLOCKING_TIMEOUT = 0.05


def finish(claim: Claim, result: str = "Done.") -> None:
    task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, result=result, session_id="ses_1"))


def held(cast: Cast, sent: Json) -> Claim:
    return cast.held(Task.objects.get(id=sent["task_id"]))


def test_a_message_that_nobody_answers_in_time_is_a_task_that_goes_on(ada: Caller) -> None:
    sent = ada.call("send_message", message="Mend the till.\nIt rings no more.")
    assert (sent["settled"], sent["response"], sent["question"], sent["status"]) == (False, None, None, "pending")
    assert sent["message"].startswith("No worker has it yet (no worker is connected")
    task = ada.call("get_task", task_id=sent["task_id"])
    assert (task["title"], task["context_id"]) == ("Mend the till.", sent["conversation_id"])


def test_the_conversation_goes_on_in_its_session(ada: Caller, cast: Cast) -> None:
    first = ada.call("send_message_async", message="Mend the till.")
    finish(held(cast, first))
    second = ada.call("send_message_async", message="Now the door.", conversation_id=first["conversation_id"])
    assert second["conversation_id"] == first["conversation_id"]
    assert second["task_id"] != first["task_id"]
    assert ada.call("get_task", task_id=second["task_id"])["session_id"] == "ses_1"


def test_a_task_of_another_face_is_a_conversation_of_its_own(ada: Caller, cast: Cast) -> None:
    task = cast.task()
    finish(cast.held(task))
    sent = ada.call("send_message_async", message="And the door?", conversation_id=str(task.id))
    assert (sent["conversation_id"], sent["task_id"] == str(task.id)) == (str(task.id), False)
    assert ada.call("get_task", task_id=sent["task_id"])["session_id"] == "ses_1"


def test_a_question_is_answered_by_the_tasks_id(ada: Caller, cast: Cast) -> None:
    sent = ada.call("send_message_async", message="Mend the till.")
    options = [{"id": "red", "label": "Red", "kind": ""}]
    task_leave_question(claim=held(cast, sent), question="Which one?", options=options)
    asked = ada.call("send_message", message="Well?", conversation_id=sent["conversation_id"])
    assert asked["task_id"] != sent["task_id"], "a message to the conversation alone is a task of its own"
    answered = ada.call("send_message", message="The red one.", task_id=sent["task_id"])
    assert (answered["task_id"], answered["status"]) == (sent["task_id"], "pending")
    kinds = [event["kind"] for event in ada.call("get_task_updates", task_id=sent["task_id"])["events"]]
    assert kinds[-1] == "answered"


def test_a_running_task_hears_a_message_and_an_ended_one_refuses_it(ada: Caller, cast: Cast) -> None:
    sent = ada.call("send_message_async", message="Mend the till.")
    claim = held(cast, sent)
    ada.call("send_message_async", message="Quickly.", task_id=sent["task_id"])
    last = ada.call("get_task_updates", task_id=sent["task_id"])["events"][-1]
    assert (last["kind"], last["data"]["message"]) == ("message", "Quickly.")
    task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="No till."))
    assert ada.refused("send_message", message="Again.", task_id=sent["task_id"])["code"] == "task_ended"


def test_a_task_is_not_spoken_to_in_another_conversation(ada: Caller, cast: Cast) -> None:
    task = cast.task(context_id="c1")
    told = ada.refused("send_message_async", message="Hi.", task_id=str(task.id), conversation_id="c2")
    assert "conversation_id" in told["errors"]


def test_the_same_message_with_the_same_key_is_sent_once(ada: Caller) -> None:
    first = ada.call("send_message_async", message="Mend the till.", idempotency_key="k")
    assert ada.call("send_message_async", message="Mend the till.", idempotency_key="k") == first
    assert ada.call("list_tasks")["total"] == 1


def test_an_agent_is_written_to_by_its_role(ada: Caller) -> None:
    sent = ada.call("send_to_agent", agent_name="reviewer", message="Look at this.")
    task = ada.call("get_task", task_id=sent["task_id"])
    assert (task["target_agent"], task["codebase_id"]) == ("reviewer", "global")
    again = ada.call("send_to_agent", target_agent="reviewer", message="And this.")
    assert again["conversation_id"] != sent["conversation_id"]


def test_what_was_said_is_read_from_all_tasks_of_the_conversation(ada: Caller, cast: Cast) -> None:
    first = ada.call("send_message_async", message="Mend the till.")
    claim = held(cast, first)
    task_progress(claim=claim, reported=[event_from_worker("output", {"type": "text", "content": "Hm."})])
    ada.call("send_message_async", message="Quickly.", task_id=first["task_id"])
    finish(claim, result="")
    ada.call("send_message_async", message="Now the door.", conversation_id=first["conversation_id"])
    page = ada.call("get_messages", conversation_id=first["conversation_id"])
    said = [(one["role"], one["kind"], one["content"]) for one in page["messages"]]
    assert said == [
        ("user", "request", "Mend the till."),
        ("user", "message", "Quickly."),
        ("agent", "result", "Hm."),
        ("user", "request", "Now the door."),
    ]
    latest = ada.call("get_messages", conversation_id=first["conversation_id"], limit=2)
    before = ada.call("get_messages", conversation_id=first["conversation_id"], limit=9, cursor=latest["next_cursor"])
    assert before["messages"] + latest["messages"] == page["messages"]
    assert before["next_cursor"] is None


def test_long_words_are_cut_and_say_so(ada: Caller) -> None:
    sent = ada.call("send_message_async", message="x" * 30_000)
    (said,) = ada.call("get_messages", conversation_id=sent["conversation_id"])["messages"]
    assert (len(said["content"]), said["cut"]) == (20_000, True)


def test_a_conversation_of_another_workspace_is_none(ada: Caller, cast: Cast) -> None:
    theirs = cast.elsewhere().task(context_id="c1")
    for named in ("c1", str(theirs.id)):
        assert ada.refused("get_messages", conversation_id=named)["code"] == "conversation_not_found"
        sent = ada.call("send_message_async", message="Hi.", conversation_id=named)
        assert ada.call("get_task", task_id=sent["task_id"])["session_id"] is None
