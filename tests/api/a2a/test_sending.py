"""Sending messages: what becomes of them, when the answer comes, and what continues what."""

import asyncio

import pytest

from apps.core.db import in_database
from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.states import State
from tests.api.a2a.client import Caller, Hand
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_not_blocking_gives_the_submitted_task_at_once(ada: Caller) -> None:
    task = await ada.send("Calculate 25 * 4", messageId="m1")
    assert (task["kind"], task["status"]["state"]) == ("task", "submitted")
    (message,) = task["history"]
    assert (message["messageId"], message["role"]) == ("m1", "user")
    assert message["parts"] == [{"kind": "text", "text": "Calculate 25 * 4"}]
    row = await Task.objects.aget()
    assert (str(row.id), row.context_id, row.prompt) == (task["id"], task["contextId"], "Calculate 25 * 4")


async def test_blocking_waits_for_the_end(ada: Caller, hand: Hand) -> None:
    sending = asyncio.create_task(ada.send(blocking=True))
    await hand.finish(await hand.take(), "100", session_id="ses_1", usage={"input_tokens": 7})
    task = await sending
    assert task["status"]["state"] == "completed"
    assert task["status"]["message"]["parts"] == [{"kind": "text", "text": "100"}]
    assert task["artifacts"] == [{"artifactId": "result", "name": "result", "parts": [{"kind": "text", "text": "100"}]}]
    (ours,) = task["metadata"].values()
    assert (ours["status"], ours["codebaseId"], ours["workerId"]) == ("completed", "global", "w1")
    assert ours["usage"] == {"input_tokens": 7}


async def test_blocking_returns_the_task_as_it_is_when_time_is_up(ada: Caller, settings) -> None:
    settings.A2A_BLOCKING_TIMEOUT = 0.1
    assert (await ada.send(blocking=True))["status"]["state"] == "submitted"


async def test_blocking_returns_when_the_agent_asks_and_the_answer_goes_on(ada: Caller, hand: Hand) -> None:
    sending = asyncio.create_task(ada.send("Paint it", blocking=True))
    await hand.ask(await hand.take(), "Which colour?")
    asked = await sending
    assert asked["status"]["state"] == "input-required"
    assert asked["status"]["message"]["parts"][0]["text"] == "Which colour?"
    answering = asyncio.create_task(ada.send("Red", blocking=True, taskId=asked["id"], messageId="m2"))
    await hand.finish(await hand.take(), "painted")
    done = await answering
    assert (done["id"], done["status"]["state"]) == (asked["id"], "completed")
    said = [(one["role"], one["parts"][0]["text"]) for one in done["history"]]
    assert said == [("user", "Paint it"), ("agent", "Which colour?"), ("user", "Red")]
    assert done["history"][2]["messageId"] == "m2"


async def test_message_to_a_running_task_reaches_its_session(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    claim = await hand.take()
    assert (await ada.send("hurry", taskId=task["id"]))["status"]["state"] == "working"
    heard = [event.data["message"] for event in await in_database(log.read, claim.task_id) if event.kind == "message"]
    assert heard == ["hurry"]


async def test_word_to_a_task_that_is_sent_again_is_said_once(ada: Caller, hand: Hand) -> None:
    """A client whose connection was cut cannot know whether it was heard; also when the task has ended meanwhile."""
    task = await ada.send("Paint it")
    claim = await hand.take()
    said = {"taskId": task["id"], "messageId": "m2"}
    await asyncio.gather(*(ada.send("Red", **said) for _ in range(3)))
    await ada.send("Blue", **said)
    await hand.finish(claim)
    again = await ada.send("Red", **said)
    assert (again["id"], again["status"]["state"]) == (task["id"], "completed")
    assert [message["parts"][0]["text"] for message in again["history"]] == ["Paint it", "Red", "Blue"]


async def test_answer_that_is_sent_again_is_no_word_to_the_agent(ada: Caller, hand: Hand) -> None:
    task = await ada.send("Paint it")
    claim = await hand.take()
    await hand.ask(claim, "Which colour?")
    for _ in range(2):
        await ada.send("Red", taskId=task["id"], messageId="m2")
    heard = await in_database(log.read, claim.task_id)
    assert [event.kind for event in heard if event.kind in ("answered", "message")] == ["answered"]


async def test_history_of_length_nought_is_all_of_it_for_0_3_and_none_for_1_0(ada: Caller) -> None:
    said = {"parts": [{"text": "hi"}], "role": "user"}
    wanted = {"historyLength": 0, "blocking": False}
    old = await ada.result("message/send", {"message": {**said, "messageId": "m1"}, "configuration": wanted})
    new = await ada.result("SendMessage", {"message": {**said, "messageId": "m2"}, "configuration": wanted})
    assert len(old["history"]) == 1
    assert "history" not in new["task"]


async def test_ended_task_takes_no_message(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    await hand.finish(await hand.take())
    said = {"messageId": "m2", "parts": [{"text": "more"}], "taskId": task["id"]}
    assert await ada.code("message/send", {"message": said}) == -32004
    assert await Task.objects.acount() == 1
    assert [event.kind for event in await in_database(log.read, (await Task.objects.aget()).id)][-1] == "completed"


async def test_task_of_another_context_is_refused(ada: Caller) -> None:
    task = await ada.send()
    said = {"parts": [{"text": "more"}], "taskId": task["id"], "contextId": "another"}
    assert await ada.code("message/send", {"message": said}) == -32602
    assert (await Task.objects.aget()).last_seq == 1


async def test_same_context_continues_the_session_where_it_lives(ada: Caller, hand: Hand, cast: Cast) -> None:
    shop = await in_database(cast.codebase, "shop")
    first = await ada.send("one", metadata={"codebase_id": shop.id, "agent_type": "plan"})
    held = await in_database(cast.held, await Task.objects.aget())
    await hand.finish(held, "done", session_id="ses_1")
    second = await ada.send("two", contextId=first["contextId"])
    row = await Task.objects.aget(id=second["id"])
    assert (row.session_id, row.codebase_id, row.agent_type) == ("ses_1", shop.id, "plan")
    assert second["contextId"] == first["contextId"] == row.context_id


async def test_reference_without_a_context_continues_that_tasks_conversation(ada: Caller, hand: Hand) -> None:
    first = await ada.send("one")
    await hand.finish(await hand.take(), "done", session_id="ses_1")
    second = await ada.send("two", referenceTaskIds=["theirs", first["id"]])
    assert second["contextId"] == first["contextId"]
    assert second["history"][0]["referenceTaskIds"] == ["theirs", first["id"]]
    assert (await Task.objects.aget(id=second["id"])).session_id == "ses_1"


async def test_reference_to_another_workspaces_task_continues_nothing(ada: Caller, cast: Cast) -> None:
    theirs = await in_database(lambda: cast.elsewhere().task(session_id="ses_secret", context_id="theirs"))
    task = await ada.send(referenceTaskIds=[str(theirs.id)])
    assert task["contextId"] != "theirs"
    assert (await Task.objects.aget(id=task["id"])).session_id == ""


async def test_context_of_another_workspace_continues_nothing(ada: Caller, cast: Cast) -> None:
    other = await in_database(cast.elsewhere)
    await in_database(other.task, context_id="theirs", session_id="ses_secret")
    task = await ada.send(contextId="theirs")
    assert (await Task.objects.aget(id=task["id"])).session_id == ""


async def test_metadata_routes_the_task(ada: Caller, cast: Cast) -> None:
    shop = await in_database(cast.codebase, "shop")
    wishes = {
        "codebase_id": shop.id, "agent_type": "plan", "model": "anthropic/x", "priority": 7, "target_agent": "reviewer",
        "deadline_seconds": 60, "notify_email": "ada@example.com", "ticket": 9,
    }  # fmt: skip
    task = await ada.send(metadata=wishes)
    row = await Task.objects.aget()
    assert (row.codebase_id, row.agent_type, row.model, row.priority) == (shop.id, "plan", "anthropic/x", 7)
    assert (row.target_agent, row.metadata["notify_email"]) == ("reviewer", "ada@example.com")
    assert row.deadline_at is not None
    assert task["history"][0]["metadata"] == wishes


@pytest.mark.parametrize(
    "wishes",
    [
        {"priority": "high"},
        {"priority": True},
        {"priority": 2**31},
        {"codebase_id": "no-such"},
        {"codebase_id": 7},
        {"model": ["x"]},
        {"deadline_seconds": -1},
        {"deadline_seconds": "soon"},
        {"notify_email": "nobody"},
        {"agent_type": "register_codebase"},
    ],
)
async def test_wish_that_cannot_be_met_makes_no_task(ada: Caller, wishes: dict) -> None:
    said = {"parts": [{"text": "hi"}], "metadata": wishes}
    assert await ada.code("message/send", {"message": said}) == -32602
    assert not await Task.objects.aexists()


async def test_same_message_sent_again_is_the_same_task(ada: Caller) -> None:
    first, again = await ada.send("once", messageId="m1"), await ada.send("once", messageId="m1")
    assert first["id"] == again["id"]
    assert await Task.objects.acount() == 1


async def test_other_message_of_the_same_id_is_not_dropped(ada: Caller) -> None:
    first, other = await ada.send("one", messageId="m1"), await ada.send("two", messageId="m1")
    assert first["id"] != other["id"]
    assert (await ada.send("two", messageId="m1"))["id"] == other["id"]


async def test_messages_without_an_id_are_each_a_task(ada: Caller) -> None:
    for _ in range(2):
        await ada.result("message/send", {"message": {"parts": [{"text": "hi"}]}, "configuration": {"blocking": False}})
    assert await Task.objects.acount() == 2


async def test_same_message_from_two_workspaces_is_two_tasks(ada: Caller, cast: Cast) -> None:
    other = await in_database(cast.elsewhere)
    eve = Caller(await in_database(other.token))
    assert (await ada.send("hi", messageId="m1"))["id"] != (await eve.send("hi", messageId="m1"))["id"]
    await eve.http.aclose()


async def test_failed_task_tells_its_error(ada: Caller, hand: Hand) -> None:
    sending = asyncio.create_task(ada.send(blocking=True))
    await hand.finish(await hand.take(), "", State.FAILED, error="no such file", error_code="agent")
    task = await sending
    assert task["status"]["state"] == "failed"
    assert task["status"]["message"]["parts"][0]["text"] == "no such file"
    assert "artifacts" not in task


async def test_history_length_cuts_the_history(ada: Caller, hand: Hand) -> None:
    task = await ada.send("one")
    await hand.take()
    await ada.send("two", taskId=task["id"])
    got = await ada.result("tasks/get", {"id": task["id"], "historyLength": 1})
    assert [one["parts"][0]["text"] for one in got["history"]] == ["two"]
    assert "history" not in await ada.result("GetTask", {"id": task["id"], "historyLength": 0})


async def test_pending_task_says_why_it_waits_until_it_is_taken(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    (shown,) = (await ada.result("tasks/get", {"id": task["id"]}))["metadata"].values()
    assert (shown["status"], shown["whyPending"], shown["whyPendingCode"]) == (
        "pending", "no worker is connected", "no_worker"
    )  # fmt: skip
    await hand.take()
    (shown,) = (await ada.result("GetTask", {"id": task["id"]}))["metadata"].values()
    assert shown["status"] == "running"
    assert not shown.keys() & {"whyPending", "whyPendingCode"}


async def test_streams_snapshot_leaves_the_reason_out(ada: Caller, hand: Hand) -> None:
    """It would stay true for an instant only, and nothing in the stream would take it back."""
    streaming = asyncio.create_task(ada.stream("message/stream", {"message": {"parts": [{"text": "hi"}]}}))
    await hand.finish(await hand.take())
    (_, first), *_ = await streaming
    (shown,) = first["metadata"].values()
    assert shown["status"] == "pending"
    assert not shown.keys() & {"whyPending", "whyPendingCode"}


@pytest.mark.parametrize("name", ["concurrency_key", "concurrencyKey"])
async def test_message_names_its_concurrency_key_and_the_conversation_keeps_it(
    ada: Caller, hand: Hand, name: str
) -> None:
    task = await ada.send("one", metadata={name: "deploy"})
    await hand.finish(await hand.take(), session_id="ses_1")
    await ada.send("two", contextId=task["contextId"])
    assert [row.concurrency_key async for row in Task.objects.all()] == ["deploy", "deploy"]


async def test_concurrency_key_that_is_no_text_is_refused(ada: Caller) -> None:
    said = {"parts": [{"text": "hi"}], "metadata": {"concurrency_key": 5}}
    assert await ada.code("message/send", {"message": said}) == -32602
    assert not await Task.objects.aexists()
