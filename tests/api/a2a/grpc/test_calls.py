"""The methods of both gRPC services, over the real server."""

import asyncio
from typing import Any

import grpc
import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.types import a2a_pb2 as new

from apps.core.extension import EXTENSION
from apps.core.stopping import stopping
from tests.api.a2a.client import Hand
from tests.api.a2a.grpc.caller import GrpcCaller, first, refused, saying, saying_of_old

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def kinds(events: list[Any]) -> list[str]:
    return [str(event.WhichOneof("payload")) for event in events]


async def test_a_blocking_send_waits_for_the_result(ada: GrpcCaller, hand: Hand) -> None:
    sending = asyncio.ensure_future(ada.call(ada.new.SendMessage, saying("Calculate 25 * 4")))
    await hand.finish(await hand.take(), "100")
    task = (await sending).task
    assert task.status.state == new.TASK_STATE_COMPLETED
    assert task.artifacts[0].parts[0].text == "100"
    assert task.history[0].parts[0].text == "Calculate 25 * 4"


async def test_a_direct_answer_is_a_message(ada: GrpcCaller, hand: Hand) -> None:
    sending = asyncio.ensure_future(ada.call(ada.new.SendMessage, saying("Hello")))
    await hand.finish(await hand.take(), "Hello, too", direct=True)
    answer = await sending
    assert answer.WhichOneof("payload") == "message"
    assert answer.message.parts[0].text == "Hello, too"


async def test_a_send_that_does_not_wait(ada: GrpcCaller) -> None:
    task = await ada.send()
    assert task.status.state == new.TASK_STATE_SUBMITTED
    assert (await ada.get(task.id)).context_id == task.context_id


async def test_data_and_metadata_arrive_as_they_were_sent(ada: GrpcCaller) -> None:
    message = saying("Look", at_once=True)
    message.message.parts.add().data.struct_value.update({"count": 42, "share": 0.5, "names": ["a", None, {"b": True}]})
    message.message.metadata.update({"priority": 3, "note": "for ada"})
    task = (await ada.call(ada.new.SendMessage, message)).task
    said = (await ada.get(task.id)).history[0]
    assert said.parts[1].data == message.message.parts[1].data
    assert said.metadata["note"] == "for ada"
    assert (await ada.get(task.id)).metadata[EXTENSION]["priority"] == 3


async def test_a_stream_tells_what_happens(ada: GrpcCaller, hand: Hand) -> None:
    stream = ada.call(ada.new.SendStreamingMessage, saying("hi"))
    opened = await first(stream)
    claim = await hand.take()
    await hand.say(claim, ("output", {"content": "one "}), ("output", {"content": "two"}))
    await hand.finish(claim, "one two")
    events = [opened, *[event async for event in stream]]
    assert kinds(events) == ["task", "status_update", "artifact_update", "artifact_update", "status_update"]
    assert events[-1].status_update.status.state == new.TASK_STATE_COMPLETED


async def test_two_subscribers_hear_the_same(ada: GrpcCaller, hand: Hand) -> None:
    task = await ada.send()
    streams = [ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id)) for _ in range(2)]
    opened = [await first(stream) for stream in streams]
    await hand.finish(await hand.take(), "done")
    heard = [[event async for event in stream] for stream in streams]
    assert [event.task.id for event in opened] == [task.id, task.id]
    assert heard[0] == heard[1]
    assert kinds(heard[0]) == ["status_update", "artifact_update", "status_update"]


async def test_a_stream_goes_on_after_the_last_event_id(ada: GrpcCaller, hand: Hand) -> None:
    task = await ada.send()
    request = new.SubscribeToTaskRequest(id=task.id)
    whole = ada.call(ada.new.SubscribeToTask, request, ("a2a-extensions", EXTENSION))
    opened = await first(whole)
    await hand.finish(await hand.take(), "done")
    events = [event async for event in whole]
    last_id = opened.task.metadata[EXTENSION]["eventId"]
    rest = ada.call(ada.new.SubscribeToTask, request, ("last-event-id", last_id), ("a2a-extensions", EXTENSION))
    assert [event async for event in rest] == events
    trailing = dict(await rest.trailing_metadata())
    assert trailing["last-event-id"] == events[-1].status_update.metadata[EXTENSION]["eventId"]


async def test_a_bad_last_event_id_is_refused(ada: GrpcCaller) -> None:
    task = await ada.send()
    call = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id), ("last-event-id", "x"))
    assert (await refused(call)).code == grpc.StatusCode.INVALID_ARGUMENT


async def test_without_the_extension_events_carry_no_ids(ada: GrpcCaller) -> None:
    task = await ada.send()
    stream = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id))
    opened = await first(stream)
    assert "eventId" not in opened.task.metadata[EXTENSION].fields
    stream.cancel()


async def test_question_and_answer(ada: GrpcCaller, hand: Hand) -> None:
    stream = ada.call(ada.new.SendStreamingMessage, saying("Paint it"))
    await hand.ask(await hand.take(), "Which colour?")
    asked = [event async for event in stream][-1].status_update
    assert asked.status.state == new.TASK_STATE_INPUT_REQUIRED
    await ada.send("Red", task_id=asked.task_id)
    await hand.finish(await hand.take(), "painted")
    assert (await ada.get(asked.task_id)).artifacts[0].parts[0].text == "painted"


async def test_tasks_are_listed_by_pages(ada: GrpcCaller) -> None:
    sent = [(await ada.send(f"number {number}", context_id="shop")).id for number in range(3)]
    await ada.send("elsewhere")
    request = new.ListTasksRequest(context_id="shop", page_size=2)
    page = await ada.call(ada.new.ListTasks, request)
    request.page_token = page.next_page_token
    rest = await ada.call(ada.new.ListTasks, request)
    assert {task.id for task in [*page.tasks, *rest.tasks]} == set(sent)
    assert (page.total_size, len(page.tasks), rest.next_page_token) == (3, 2, "")
    wanted = new.ListTasksRequest(context_id="shop", status=new.TASK_STATE_WORKING)
    assert not (await ada.call(ada.new.ListTasks, wanted)).tasks


async def test_cancel(ada: GrpcCaller) -> None:
    task = await ada.send()
    cancelled = await ada.call(ada.new.CancelTask, new.CancelTaskRequest(id=task.id))
    assert cancelled.status.state == new.TASK_STATE_CANCELED


async def test_the_extended_card(ada: GrpcCaller) -> None:
    card = await ada.call(ada.new.GetExtendedAgentCard, new.GetExtendedAgentCardRequest())
    assert card.name == "CodeTether"
    assert {one.protocol_binding for one in card.supported_interfaces} >= {"JSONRPC"}


async def test_old_clients_are_served_beside_new_ones(ada: GrpcCaller, hand: Hand) -> None:
    sending = asyncio.ensure_future(ada.call(ada.old.SendMessage, saying_of_old("Calculate 25 * 4")))
    await hand.finish(await hand.take(), "100")
    task = (await sending).task
    assert task.status.state == old.TASK_STATE_COMPLETED
    assert task.artifacts[0].parts[0].text == "100"
    got = await ada.call(ada.old.GetTask, old.GetTaskRequest(name=f"tasks/{task.id}"))
    assert got.history[0].content[0].text == "Calculate 25 * 4"
    assert (await ada.get(task.id)).status.state == new.TASK_STATE_COMPLETED


async def test_an_old_stream_says_which_event_is_final(ada: GrpcCaller, hand: Hand) -> None:
    stream = ada.call(ada.old.SendStreamingMessage, saying_of_old("hi"))
    await hand.finish(await hand.take(), "done")
    events = [event async for event in stream]
    assert kinds(events)[0] == "task"
    assert [event.status_update.final for event in events if event.HasField("status_update")][-1]


async def test_an_old_subscriber_and_an_old_cancel(ada: GrpcCaller) -> None:
    task = await ada.send_old()
    stream = ada.call(ada.old.TaskSubscription, old.TaskSubscriptionRequest(name=f"tasks/{task.id}"))
    assert (await first(stream)).task.id == task.id
    cancelled = await ada.call(ada.old.CancelTask, old.CancelTaskRequest(name=f"tasks/{task.id}"))
    assert cancelled.status.state == old.TASK_STATE_CANCELLED
    assert [event.status_update.status.state async for event in stream] == [old.TASK_STATE_CANCELLED]


async def test_an_old_send_without_configuration_waits_as_the_user(ada: GrpcCaller, hand: Hand) -> None:
    request = old.SendMessageRequest(request=old.Message(message_id="m1", content=[old.Part(text="hi")]))
    sending = asyncio.ensure_future(ada.call(ada.old.SendMessage, request))
    await hand.finish(await hand.take(), "done")
    task = (await sending).task
    assert task.status.state == old.TASK_STATE_COMPLETED
    assert task.history[0].role == old.ROLE_USER


async def test_the_old_card(ada: GrpcCaller) -> None:
    card = await ada.call(ada.old.GetAgentCard, old.GetAgentCardRequest())
    assert (card.name, card.protocol_version) == ("CodeTether", "0.3")


async def test_what_lies_too_deep_for_protobuf_is_told_as_text(ada: GrpcCaller, hand: Hand) -> None:
    deep: Any = "bottom"
    for _ in range(60):
        deep = {"down": deep}
    task = await ada.send()
    claim = await hand.take()
    await hand.say(claim, ("artifact", {"artifact_id": "a", "parts": [{"data": deep}]}))
    await hand.finish(claim, "done")
    (part,) = [one for one in (await ada.get(task.id)).artifacts if one.artifact_id == "a"][0].parts
    assert "bottom" in str(part.data)


async def test_a_stream_that_the_servers_end_cuts_says_so(ada: GrpcCaller) -> None:
    task = await ada.send()
    stream = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id))
    await first(stream)
    stopping.begin()
    try:
        cut = await refused(stream)
    finally:
        stopping.has_begun = False
    assert cut.code == grpc.StatusCode.UNAVAILABLE
    assert cut.trailing["last-event-id"]


async def test_files_by_content_leave_an_answer_that_clients_take(ada: GrpcCaller, settings: Any) -> None:
    settings.INLINE_FILE_BYTES = 1_048_576
    task = await ada.send(parts=[new.Part(raw=bytes(1_048_576)) for _ in range(4)])  # clients take 4 MiB
    assert [part.WhichOneof("content") for part in task.history[0].parts] == ["raw"] * 3 + ["url"]
