"""What the official client sees: the same conversation in both versions."""

import asyncio
import uuid
from typing import Any

import pytest
from a2a.types import (
    CancelTaskRequest,
    GetExtendedAgentCardRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskState,
)
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError

from tests.api.a2a.client import Hand
from tests.contract.a2a.conftest import MakeClient

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def saying(text: str, **more: Any) -> SendMessageRequest:
    message = Message(role=Role.ROLE_USER, message_id=uuid.uuid4().hex, parts=[Part(text=text)], **more)
    return SendMessageRequest(message=message)


async def sent(client: Any, request: SendMessageRequest) -> list[StreamResponse]:
    return [event async for event in client.send_message(request)]


async def task_of(client: Any, request: SendMessageRequest) -> Task:
    """The task that a message without streaming becomes."""
    (event,) = await sent(client, request)
    return event.task


async def test_blocking_send(factory: MakeClient, hand: Hand) -> None:
    sending = asyncio.create_task(task_of(factory(), saying("Calculate 25 * 4")))
    await hand.finish(await hand.take(), "100")
    task = await sending
    assert task.status.state == TaskState.TASK_STATE_COMPLETED
    assert (task.artifacts[0].parts[0].text, task.status.message.parts[0].text) == ("100", "100")
    assert task.history[0].parts[0].text == "Calculate 25 * 4"


async def test_send_without_waiting_then_get(factory: MakeClient, hand: Hand) -> None:
    client = factory(polling=True)
    task = await task_of(client, saying("hi"))
    assert task.status.state == TaskState.TASK_STATE_SUBMITTED
    claim = await hand.take()
    assert (await client.get_task(GetTaskRequest(id=task.id))).status.state == TaskState.TASK_STATE_WORKING
    await hand.finish(claim, "done")
    got = await client.get_task(GetTaskRequest(id=task.id))
    assert (got.status.state, got.artifacts[0].parts[0].text) == (TaskState.TASK_STATE_COMPLETED, "done")


async def test_stream(factory: MakeClient, hand: Hand) -> None:
    streaming = asyncio.create_task(sent(factory(streaming=True), saying("hi")))
    claim = await hand.take()
    await hand.say(claim, ("output", {"content": "one "}), ("output", {"content": "two"}))
    await hand.finish(claim, "one two")
    events = await streaming
    assert [event.WhichOneof("payload") for event in events] == [
        "task", "status_update", "artifact_update", "artifact_update", "status_update",
    ]  # fmt: skip
    assert [event.artifact_update.append for event in events[2:4]] == [False, True]
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


async def test_resubscribe(factory: MakeClient, hand: Hand) -> None:
    client = factory(streaming=True, polling=True)
    task = await task_of(factory(polling=True), saying("hi"))
    events = client.subscribe(SubscribeToTaskRequest(id=task.id))
    assert (await anext(events)).task.id == task.id
    await hand.finish(await hand.take(), "done")
    states = [event.status_update.status.state async for event in events if event.HasField("status_update")]
    assert states == [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED]


async def test_question_and_answer_in_one_context(factory: MakeClient, hand: Hand) -> None:
    client = factory()
    asking = asyncio.create_task(task_of(client, saying("Paint it")))
    await hand.ask(await hand.take(), "Which colour?")
    asked = await asking
    assert asked.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
    assert asked.status.message.parts[0].text == "Which colour?"
    answering = asyncio.create_task(task_of(client, saying("Red", task_id=asked.id, context_id=asked.context_id)))
    await hand.finish(await hand.take(), "painted", session_id="ses_1")
    assert (await answering).artifacts[0].parts[0].text == "painted"
    more = await task_of(factory(polling=True), saying("And the door", context_id=asked.context_id))
    (ours,) = more.metadata.values()
    assert (more.id != asked.id, ours["sessionId"]) == (True, "ses_1")


async def test_cancel(factory: MakeClient, hand: Hand) -> None:
    client = factory(polling=True)
    task = await task_of(client, saying("hi"))
    cancelled = await client.cancel_task(CancelTaskRequest(id=task.id))
    assert cancelled.status.state == TaskState.TASK_STATE_CANCELED
    with pytest.raises(TaskNotCancelableError):
        await client.cancel_task(CancelTaskRequest(id=task.id))


async def test_refusals_have_their_own_errors(factory: MakeClient, hand: Hand) -> None:
    client = factory(streaming=True)
    with pytest.raises(TaskNotFoundError):
        await client.get_task(GetTaskRequest(id="none"))
    with pytest.raises(TaskNotFoundError):
        await anext(client.subscribe(SubscribeToTaskRequest(id="none")))
    task = await task_of(factory(polling=True), saying("hi"))
    await hand.finish(await hand.take())
    with pytest.raises(UnsupportedOperationError):
        await sent(client, saying("more", task_id=task.id))


async def test_extended_card(factory: MakeClient) -> None:
    card = await factory().get_extended_agent_card(GetExtendedAgentCardRequest())
    assert [skill.id for skill in card.skills] == ["delegate"]
