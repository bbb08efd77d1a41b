"""Streams: the task first, then what happens to it, to the end; and again from any place."""

import asyncio

import pytest

from apps.core.db import in_database
from apps.tasks.models import Task
from apps.tasks.services import task_cancel
from apps.tasks.states import State
from tests.api.a2a.client import Caller, Hand, Json, subscribed
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SAID = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "Paint it"}]}


async def work(hand: Hand, *chunks: str, result: str = "done") -> None:
    claim = await hand.take()
    await hand.say(claim, ("status", {"message": "looking"}), *(("output", {"content": one}) for one in chunks))
    await hand.finish(claim, result)


def told(events: list[tuple[str, Json]]) -> list[str]:
    """The events in short: kind, and state or text."""
    short = []
    for _, event in events:
        if event["kind"] == "artifact-update":
            short.append(f"{'+' if event['append'] else '='}{event['artifact']['parts'][0]['text']}")
        else:
            short.append(event["status"]["state"])
    return short


async def test_stream_tells_a_tasks_life(ada: Caller, hand: Hand) -> None:
    working = asyncio.create_task(work(hand, "one ", "two", result="three"))
    events = await ada.stream("message/stream", {"message": SAID})
    await working
    assert told(events) == ["submitted", "working", "working", "=one ", "+two", "=three", "completed"]
    assert [event.get("final") for _, event in events[-2:]] == [None, True]
    assert events[2][1]["status"]["message"]["parts"][0]["text"] == "looking"
    assert [place for place, _ in events] == ["1", "2", "3", "4", "5", "6.0", "6"]


async def test_result_that_was_said_already_is_not_said_again(ada: Caller, hand: Hand) -> None:
    working = asyncio.create_task(work(hand, "one ", "two", result="one two"))
    events = await ada.stream("message/stream", {"message": SAID})
    await working
    assert told(events)[-3:] == ["=one ", "+two", "completed"]
    got = await ada.result("tasks/get", {"id": events[0][1]["id"]})
    assert got["artifacts"][0]["parts"] == [{"kind": "text", "text": "one two"}]


async def test_new_version_wraps_its_events(ada: Caller, hand: Hand) -> None:
    working = asyncio.create_task(work(hand, "one"))
    said = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "Paint it"}]}
    events = await ada.stream("SendStreamingMessage", {"message": said})
    await working
    kinds = [next(iter(event)) for _, event in events]
    assert kinds == ["task", "statusUpdate", "statusUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"]
    assert events[-1][1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_stream_ends_when_the_agent_asks(ada: Caller, hand: Hand) -> None:
    async def ask() -> None:
        await hand.ask(await hand.take(), "Which colour?")

    asking = asyncio.create_task(ask())
    events = await ada.stream("message/stream", {"message": SAID})
    await asking
    assert told(events) == ["submitted", "working", "input-required"]
    assert events[-1][1]["final"] is True


async def test_client_that_was_cut_off_misses_nothing_and_hears_nothing_twice(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    await work(hand, "one ", "two", result="three")
    params = {"id": task["id"]}
    whole = await ada.stream("tasks/resubscribe", params, **{"Last-Event-ID": "1"})
    assert told(whole) == ["working", "working", "=one ", "+two", "=three", "completed"]
    for number, (place, _) in enumerate(whole):
        rest = await ada.stream("tasks/resubscribe", params, **{"Last-Event-ID": place})
        assert rest == whole[number + 1 :]


async def test_same_message_sent_again_resumes_its_stream(ada: Caller, hand: Hand) -> None:
    working = asyncio.create_task(work(hand))
    whole = await ada.stream("message/stream", {"message": SAID})
    await working
    again = await ada.stream("message/stream", {"message": SAID}, **{"Last-Event-ID": whole[1][0]})
    assert again == whole[2:]
    assert await Task.objects.acount() == 1


async def test_two_subscribers_hear_the_same(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    claim = await hand.take()
    await hand.say(claim, ("output", {"content": "one "}))
    listening = [asyncio.create_task(ada.stream("tasks/resubscribe", {"id": task["id"]})) for _ in range(2)]
    await subscribed(task["id"], 2)
    await hand.say(claim, ("output", {"content": "two"}))
    await hand.finish(claim, "one two")
    first, second = [await one for one in listening]
    assert told(first)[-1] == told(second)[-1] == "completed"
    assert text_of(first) == text_of(second) == "one two"


def text_of(events: list[tuple[str, Json]]) -> str:
    """What a client that follows the rules has in its artifact at the end."""
    snapshot = events[0][1]
    text = "".join(part["text"] for one in snapshot.get("artifacts", []) for part in one["parts"])
    for _, event in events[1:]:
        if event["kind"] == "artifact-update":
            new = event["artifact"]["parts"][0]["text"]
            text = text + new if event["append"] else new
    return text


async def test_another_attempt_begins_the_artifact_anew(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    claim = await hand.take()
    await hand.say(claim, ("output", {"content": "half"}))
    await hand.give_back(claim)
    await work(hand, "whole", result="whole")
    events = await ada.stream("tasks/resubscribe", {"id": task["id"]}, **{"Last-Event-ID": "1"})
    assert told(events) == ["working", "=half", "submitted", "working", "working", "=whole", "completed"]


async def test_cancel_ends_the_stream(ada: Caller, hand: Hand, cast: Cast) -> None:
    task = await ada.send()
    listening = asyncio.create_task(ada.stream("tasks/resubscribe", {"id": task["id"]}))
    await subscribed(task["id"], 1)
    cancelled = await ada.result("tasks/cancel", {"id": task["id"]})
    assert cancelled["status"]["state"] == "canceled"
    assert told(await listening)[-1] == "canceled"
    assert (await Task.objects.aget()).state == State.CANCELLED


async def test_ended_task_is_not_subscribed_to(ada: Caller, cast: Cast) -> None:
    task = await ada.send()
    row = await Task.objects.aget()
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=row.id, by="ada")
    ((_, old),) = await ada.stream("tasks/resubscribe", {"id": task["id"]})
    assert old["error"]["code"] == -32004
    assert await ada.code("SubscribeToTask", {"id": task["id"]}) == -32004


@pytest.mark.parametrize("place", ["x", "-1", "1.x", "1.2.3", "9" * 30])
async def test_place_that_is_none_is_refused(ada: Caller, place: str) -> None:
    task = await ada.send()
    headers = {"Last-Event-ID": place.encode().decode("latin-1")}
    assert await ada.code("SubscribeToTask", {"id": task["id"]}, **headers) == -32602


async def test_tool_calls_and_files_are_told_as_our_extension(ada: Caller, hand: Hand) -> None:
    task = await ada.send()
    claim = await hand.take()
    await hand.say(claim, ("tool_use", {"tool": "edit"}), ("output", {"type": "reasoning", "content": "hm"}))
    await hand.finish(claim, "done")
    events = await ada.stream("tasks/resubscribe", {"id": task["id"]}, **{"Last-Event-ID": "2"})
    assert told(events) == ["working", "=done", "completed"]
    (ours,) = events[0][1]["metadata"].values()
    assert ours == {"event": "tool_use", "tool": "edit"}
