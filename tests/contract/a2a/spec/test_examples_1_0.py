"""The requests of the examples in A2A 1.0.1 (§6 workflows, §9.4 and §11.3 methods), and the specified answers."""

import asyncio
import base64
from typing import Any

import pytest
from a2a.types import Role, SendMessageResponse, StreamResponse, Task, TaskState

from tests.api.a2a.client import Hand, subscribed
from tests.contract.a2a.spec.bindings import Speaker
from tests.contract.a2a.spec.examples import (
    Example,
    completed_with,
    fresh,
    has_failed,
    has_no_history,
    holds_data,
    is_message,
    links_to_a_file,
    needs_input,
    shows_the_file,
    streamed,
    told,
)
from tests.contract.a2a.spec.working import answers_directly, asks, completes, fails, makes, writes

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

Json = dict[str, Any]
HOOK = "https://93.184.216.34/webhooks/a2a"
IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def said(*parts: Json, **message: Any) -> Json:
    return {"role": "ROLE_USER", "messageId": "msg-1", "parts": list(parts), **message}


def text(words: str) -> Json:
    return {"text": words}


SENT = [
    Example("6.1 a task", {"message": said(text("Will it rain?"))}, completes("No."), completed_with("No.")),
    Example("6.1 a message", {"message": said(text("Will it rain?"))}, answers_directly("Sunny."), is_message),
    Example("6.3 a question", {"message": said(text("Book a flight."))}, asks("Where from, and when?"), needs_input),
    Example("4.1.3 a failure", {"message": said(text("Book a flight."))}, fails("No seat left."), has_failed),
    Example(
        "6.7 a file by content",
        {"message": said(text("Find the faces."), {"raw": IMAGE, "filename": "people.png", "mediaType": "image/png"})},
        completes("Two."), shows_the_file,
    ),
    Example(
        "6.7 a file by address",
        {"message": said(
            text("Find the faces."),
            {"url": "https://x.example/people.png", "filename": "people.png", "mediaType": "image/png"},
        )},
        completes("Two."), shows_the_file,
    ),
    Example(
        "6.7 a file in return", {"message": said(text("Mark the faces."))},
        makes({"url": "https://x.example/faces.png", "media_type": "image/png", "filename": "faces.png"}),
        links_to_a_file,
    ),
    Example(
        "6.8 data in and out",
        {"message": said(
            text("My open tickets."), {"data": {"state": "open"}, "mediaType": "application/json"},
            metadata={"schema": {"type": "array", "items": {"type": "object"}}},
        ), "configuration": {"acceptedOutputModes": ["application/json"]}},
        makes({"data": [{"ticket": "T-1", "open": True}]}), holds_data,
    ),
    Example(
        "3.2.4 no history", {"message": said(text("Will it rain?")), "configuration": {"historyLength": 0}},
        completes("No."), has_no_history,
    ),
    Example(
        "4.6 metadata and extensions",
        {"message": said(
            text("Will it rain?"), metadata={"https://x.example/ext/v1": {"fast": True}},
            extensions=["https://x.example/ext/v1"], referenceTaskIds=["01900000-0000-7000-8000-000000000000"],
        ), "metadata": {"trace": "t-1"}},
        completes("No."), completed_with("No."),
    ),
]  # fmt: skip


async def test_messages_are_answered_as_specified(binding: Speaker, hand: Hand) -> None:
    for example in SENT:
        with told(example):
            answering = asyncio.create_task(binding.answer("SendMessage", fresh(example)))
            await example.work(hand, await hand.take())
            example.sees(await answering)


async def test_streams_are_the_task_and_what_leads_to_the_same(binding: Speaker, hand: Hand) -> None:
    """The first event is the task, then come updates, the last of them with a state that ends streams (§3.1.2)."""
    for example in SENT:
        if example.sees is not is_message:
            with told(example):
                await streamed(binding, hand, example)


async def test_6_2_text_is_streamed_in_chunks(binding: Speaker, hand: Hand) -> None:
    params = {"message": said(text("Write a report."))}
    streaming = asyncio.create_task(binding.events("SendStreamingMessage", params))
    await writes("One. ", "Two.")(hand, await hand.take())
    chunks = [event.artifact_update for event in await streaming if event.WhichOneof("payload") == "artifact_update"]
    assert [chunk.artifact.parts[0].text for chunk in chunks] == ["One. ", "Two."]
    assert [chunk.append for chunk in chunks] == [False, True]
    assert len({chunk.artifact.artifact_id for chunk in chunks}) == 1


async def test_3_2_2_client_that_does_not_wait_gets_the_task_at_once(binding: Speaker) -> None:
    answer = await binding.answer("SendMessage", at_once(said(text("Write a report."))))
    assert answer.task.status.state == TaskState.TASK_STATE_SUBMITTED


def at_once(message: Json) -> Json:
    return {"message": message, "configuration": {"returnImmediately": True}}


async def begun(binding: Speaker, words: str = "Write a report.", **message: Any) -> Task:
    answer: SendMessageResponse = await binding.answer("SendMessage", at_once(said(text(words), **message)))
    return answer.task


async def test_6_3_question_is_answered_in_the_same_task(binding: Speaker, hand: Hand) -> None:
    asking = asyncio.create_task(binding.answer("SendMessage", {"message": said(text("Book a flight."))}))
    await asks("Where from, and when?")(hand, await hand.take())
    asked: Task = (await asking).task
    reply = said(text("From Rome, today."), messageId="msg-2", taskId=asked.id, contextId=asked.context_id)
    replying = asyncio.create_task(binding.answer("SendMessage", {"message": reply}))
    await completes("Booked.")(hand, await hand.take())
    done: Task = (await replying).task
    assert (done.id, done.context_id) == (asked.id, asked.context_id)
    assert [one.parts[0].text for one in done.history] == [
        "Book a flight.",
        "Where from, and when?",
        "From Rome, today.",
    ]
    assert [one.role for one in done.history] == [Role.ROLE_USER, Role.ROLE_AGENT, Role.ROLE_USER]


async def test_6_3_context_goes_on_in_another_task(binding: Speaker, hand: Hand) -> None:
    first = await begun(binding)
    await completes("Done.")(hand, await hand.take())
    second = await begun(binding, "And a summary.", messageId="msg-2", contextId=first.context_id)
    assert (second.context_id, second.id != first.id) == (first.context_id, True)


async def test_6_5_tasks_are_got(binding: Speaker) -> None:
    task = await begun(binding)
    got: Task = await binding.answer("GetTask", {"id": task.id, "historyLength": 10})
    assert (got.id, got.context_id, len(got.history)) == (task.id, task.context_id, 1)


async def test_6_5_tasks_are_listed_by_context(binding: Speaker) -> None:
    task = await begun(binding)
    await begun(binding, "Another.", messageId="msg-2")
    params = {"contextId": task.context_id, "pageSize": 10, "historyLength": 5}
    found = await binding.answer("ListTasks", params)
    assert ([one.id for one in found.tasks], found.total_size, found.page_size) == ([task.id], 1, 10)
    assert found.next_page_token == ""


async def test_6_5_tasks_are_listed_by_state_page_by_page(binding: Speaker) -> None:
    tasks = [await begun(binding, f"Number {n}.", messageId=f"msg-{n}") for n in range(3)]
    asked: Json = {"status": "TASK_STATE_SUBMITTED", "pageSize": 2}
    first = await binding.answer("ListTasks", asked)
    second = await binding.answer("ListTasks", {**asked, "pageToken": first.next_page_token})
    assert [one.id for one in (*first.tasks, *second.tasks)] == [one.id for one in reversed(tasks)]
    assert (first.total_size, second.next_page_token) == (3, "")
    assert not (await binding.answer("ListTasks", {"status": "TASK_STATE_WORKING"})).tasks


async def test_3_1_4_list_shows_artifacts_on_request(binding: Speaker, hand: Hand) -> None:
    task = await begun(binding)
    await completes("Done.")(hand, await hand.take())
    (bare,) = (await binding.answer("ListTasks", {"contextId": task.context_id})).tasks
    (whole,) = (await binding.answer("ListTasks", {"contextId": task.context_id, "includeArtifacts": True})).tasks
    assert (len(bare.artifacts), whole.artifacts[0].parts[0].text) == (0, "Done.")


async def test_3_1_4_list_knows_when_the_state_was_reached(binding: Speaker) -> None:
    task = await begun(binding)
    for after, number in (("2020-01-01T00:00:00Z", 1), ("2199-01-01T00:00:00Z", 0)):
        params = {"contextId": task.context_id, "statusTimestampAfter": after}
        assert len((await binding.answer("ListTasks", params)).tasks) == number


async def test_3_1_5_task_is_cancelled(binding: Speaker) -> None:
    task = await begun(binding)
    cancelled: Task = await binding.answer("CancelTask", {"id": task.id, "metadata": {"reason": "No need."}})
    assert (cancelled.id, cancelled.status.state) == (task.id, TaskState.TASK_STATE_CANCELED)


async def test_3_1_6_stream_is_joined_later(binding: Speaker, hand: Hand) -> None:
    task = await begun(binding)
    streaming = asyncio.create_task(binding.events("SubscribeToTask", {"id": task.id}))
    await subscribed(task.id)
    await completes("Done.")(hand, await hand.take())
    events: list[StreamResponse] = await streaming
    assert (events[0].task.id, events[-1].status_update.task_id) == (task.id, task.id)
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


CONFIG: Json = {"url": HOOK, "token": "t-1", "authentication": {"scheme": "Bearer", "credentials": "c-1"}}


async def test_6_6_webhook_is_set_shown_listed_and_deleted(binding: Speaker) -> None:
    task = await begun(binding)
    made = await binding.answer("CreateTaskPushNotificationConfig", {"taskId": task.id, "id": "cfg-1", **CONFIG})
    assert (made.task_id, made.id, made.url, made.token) == (task.id, "cfg-1", HOOK, "t-1")
    assert (made.authentication.scheme, made.authentication.credentials) == ("Bearer", "c-1")
    place = {"taskId": task.id, "id": "cfg-1"}
    assert await binding.answer("GetTaskPushNotificationConfig", place) == made
    assert list((await binding.answer("ListTaskPushNotificationConfigs", {"taskId": task.id})).configs) == [made]
    await binding.answer("DeleteTaskPushNotificationConfig", place)
    assert not (await binding.answer("ListTaskPushNotificationConfigs", {"taskId": task.id})).configs


async def test_6_6_webhook_comes_with_the_message(binding: Speaker) -> None:
    params = at_once(said(text("Write a report.")))
    params["configuration"]["taskPushNotificationConfig"] = CONFIG
    task = (await binding.answer("SendMessage", params)).task
    (config,) = (await binding.answer("ListTaskPushNotificationConfigs", {"taskId": task.id})).configs
    assert (config.url, config.task_id) == (HOOK, task.id)


async def test_6_9_extended_card(binding: Speaker) -> None:
    card = await binding.answer("GetExtendedAgentCard", {})
    assert card.capabilities.extended_agent_card
    assert {one.protocol_binding for one in card.supported_interfaces} >= {"JSONRPC", "HTTP+JSON"}


async def test_same_message_sent_again_is_the_same_task(binding: Speaker) -> None:
    assert (await begun(binding)).id == (await begun(binding)).id
