"""The requests of the examples in A2A 0.3.0 (§9 workflows, §7 methods), and the specified answers."""

import asyncio
import base64
from typing import Any

import pytest
from a2a.types import Role, SendMessageResponse, StreamResponse, Task, TaskState
from google.protobuf.json_format import MessageToDict

from tests.api.a2a.client import Hand, subscribed
from tests.contract.a2a.spec.bindings import Speaker
from tests.contract.a2a.spec.examples import (
    Example,
    completed_with,
    fresh,
    has_failed,
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
WAITS: Json = {"configuration": {"blocking": True}}


def said(*parts: Json, **message: Any) -> Json:
    return {"kind": "message", "role": "user", "messageId": "msg-1", "parts": list(parts), **message}


def text(words: str, **more: Any) -> Json:
    return {"kind": "text", "text": words, **more}


def file(**file: Any) -> Json:
    return {"kind": "file", "file": {"name": "people.png", "mimeType": "image/png", **file}}


def holds_data(answer: SendMessageResponse) -> None:
    """0.3 has objects only."""
    (part,) = answer.task.artifacts[0].parts
    assert MessageToDict(part.data) == {"tickets": [{"number": "T-1", "open": True}]}


SENT = [
    Example(
        "9.2 a task", {"message": said(text("Tell a joke.")), "metadata": {}, **WAITS},
        completes("Knock."), completed_with("Knock."),
    ),
    Example("9.2 a message", {"message": said(text("Tell a joke.")), **WAITS}, answers_directly("Sunny."), is_message),
    Example(
        "9.4 a question", {"message": said(text("Book a flight.")), **WAITS},
        asks("Where from, and when?"), needs_input,
    ),
    Example("6.3 a failure", {"message": said(text("Book a flight.")), **WAITS}, fails("No seat left."), has_failed),
    Example(
        "9.6 a file by content", {"message": said(text("Find the faces."), file(bytes=IMAGE)), **WAITS},
        completes("Two."), shows_the_file,
    ),
    Example(
        "9.6 a file by address",
        {"message": said(text("Find the faces."), file(uri="https://x.example/people.png")), **WAITS},
        completes("Two."), shows_the_file,
    ),
    Example(
        "9.6 a file in return", {"message": said(text("Mark the faces.")), **WAITS},
        makes({"url": "https://x.example/faces.png", "media_type": "image/png", "filename": "faces.png"}),
        links_to_a_file,
    ),
    Example(
        "9.7 data in and out",
        {"message": said(
            text("My open tickets.", metadata={"mimeType": "application/json", "schema": {"type": "object"}}),
            {"kind": "data", "data": {"state": "open"}},
        ), "configuration": {"acceptedOutputModes": ["application/json"], "blocking": True}},
        makes({"data": {"tickets": [{"number": "T-1", "open": True}]}}), holds_data,
    ),
    Example(
        "6.4 metadata and extensions",
        {"message": said(
            text("Tell a joke."), metadata={"https://x.example/ext/v1": {"fast": True}},
            extensions=["https://x.example/ext/v1"], referenceTaskIds=["01900000-0000-7000-8000-000000000000"],
        ), "metadata": {"trace": "t-1"}, **WAITS},
        completes("Knock."), completed_with("Knock."),
    ),
]  # fmt: skip


async def test_messages_are_answered_as_specified(old_binding: Speaker, hand: Hand) -> None:
    for example in SENT:
        with told(example):
            answering = asyncio.create_task(old_binding.answer("SendMessage", fresh(example)))
            await example.work(hand, await hand.take())
            example.sees(await answering)


async def test_streams_are_the_task_and_what_leads_to_the_same(old_binding: Speaker, hand: Hand) -> None:
    for example in SENT:
        if example.sees is not is_message:
            with told(example):
                await streamed(old_binding, hand, example)


async def test_9_3_text_and_pictures_are_answered_in_chunks(old_binding: Speaker, hand: Hand) -> None:
    params = {"message": said(text("Describe these."), file(bytes=IMAGE)), "metadata": {}}
    streaming = asyncio.create_task(old_binding.events("SendStreamingMessage", params))
    await writes("One. ", "Two.")(hand, await hand.take())
    chunks = [event.artifact_update for event in await streaming if event.WhichOneof("payload") == "artifact_update"]
    assert [chunk.artifact.parts[0].text for chunk in chunks] == ["One. ", "Two."]
    assert [chunk.append for chunk in chunks] == [False, True]


async def begun(binding: Speaker, words: str = "Write a paper.", **message: Any) -> Task:
    params = {"message": said(text(words), **message), "configuration": {"blocking": False}}
    answer: SendMessageResponse = await binding.answer("SendMessage", params)
    return answer.task


async def test_7_1_client_that_does_not_wait_gets_the_task_at_once(old_binding: Speaker) -> None:
    assert (await begun(old_binding)).status.state == TaskState.TASK_STATE_SUBMITTED


async def test_9_4_question_is_answered_in_the_same_task(old_binding: Speaker, hand: Hand) -> None:
    asking = asyncio.create_task(old_binding.answer("SendMessage", {"message": said(text("Book a flight.")), **WAITS}))
    await asks("Where from, and when?")(hand, await hand.take())
    asked: Task = (await asking).task
    reply = said(text("From Rome, today."), messageId="msg-2", taskId=asked.id, contextId=asked.context_id)
    replying = asyncio.create_task(old_binding.answer("SendMessage", {"message": reply, **WAITS}))
    await completes("Booked.")(hand, await hand.take())
    done: Task = (await replying).task
    assert (done.id, done.context_id) == (asked.id, asked.context_id)
    assert [one.role for one in done.history] == [Role.ROLE_USER, Role.ROLE_AGENT, Role.ROLE_USER]


async def test_9_4_follow_up_by_task_alone_keeps_its_context(old_binding: Speaker, hand: Hand) -> None:
    asked = await begun(old_binding, "Book a flight.")
    await asks("Where from, and when?")(hand, await hand.take())
    replied = await begun(old_binding, "From Rome, today.", messageId="msg-2", taskId=asked.id)
    assert (replied.id, replied.context_id) == (asked.id, asked.context_id)


async def test_7_3_task_is_got(old_binding: Speaker) -> None:
    task = await begun(old_binding)
    got: Task = await old_binding.answer("GetTask", {"id": task.id, "historyLength": 10, "metadata": {}})
    assert (got.id, got.context_id, len(got.history)) == (task.id, task.context_id, 1)


async def test_7_4_task_is_cancelled(old_binding: Speaker) -> None:
    task = await begun(old_binding)
    cancelled: Task = await old_binding.answer("CancelTask", {"id": task.id, "metadata": {}})
    assert (cancelled.id, cancelled.status.state) == (task.id, TaskState.TASK_STATE_CANCELED)


async def test_7_9_stream_is_joined_later(old_binding: Speaker, hand: Hand) -> None:
    task = await begun(old_binding)
    streaming = asyncio.create_task(old_binding.events("SubscribeToTask", {"id": task.id, "metadata": {}}))
    await subscribed(task.id)
    await completes("Done.")(hand, await hand.take())
    events: list[StreamResponse] = await streaming
    assert (events[0].task.id, events[-1].status_update.task_id) == (task.id, task.id)
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


CONFIG: Json = {"url": HOOK, "token": "t-1", "authentication": {"schemes": ["Bearer"], "credentials": "c-1"}}


async def test_7_5_to_7_8_webhook_is_set_shown_listed_and_deleted(old_binding: Speaker) -> None:
    task = await begun(old_binding)
    params = {"taskId": task.id, "pushNotificationConfig": {"id": "cfg-1", **CONFIG}}
    made = await old_binding.answer("CreateTaskPushNotificationConfig", params)
    assert (made.task_id, made.id, made.url, made.token) == (task.id, "cfg-1", HOOK, "t-1")
    assert (made.authentication.scheme, made.authentication.credentials) == ("Bearer", "c-1")
    place = {"id": task.id, "pushNotificationConfigId": "cfg-1"}
    assert await old_binding.answer("GetTaskPushNotificationConfig", place) == made
    assert list((await old_binding.answer("ListTaskPushNotificationConfigs", {"id": task.id})).configs) == [made]
    await old_binding.answer("DeleteTaskPushNotificationConfig", place)
    assert not (await old_binding.answer("ListTaskPushNotificationConfigs", {"id": task.id})).configs


async def test_9_5_webhook_comes_with_the_message(old_binding: Speaker) -> None:
    params: Json = {"message": said(text("Write a paper."))}
    params["configuration"] = {"blocking": False, "pushNotificationConfig": CONFIG}
    task = (await old_binding.answer("SendMessage", params)).task
    (config,) = (await old_binding.answer("ListTaskPushNotificationConfigs", {"id": task.id})).configs
    assert (config.url, config.token, config.task_id) == (HOOK, "t-1", task.id)


async def test_9_1_extended_card(old_binding: Speaker) -> None:
    card = await old_binding.answer("GetExtendedAgentCard", {})
    assert (card.capabilities.streaming, card.name) == (True, "CodeTether")
