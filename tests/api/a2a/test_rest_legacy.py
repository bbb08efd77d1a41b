"""The REST binding of 0.3: read and answered as its clients speak, which is the ProtoJSON of its definition.

Answers are parsed by the definition itself, which refuses fields that it does not have, as the official client does.
"""

import asyncio

import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as v03
from a2a.compat.v0_3.types import AgentCard
from google.protobuf.json_format import ParseDict

from apps.tasks.models import Task
from tests.api.a2a.client import Hand, Json, subscribed
from tests.api.a2a.rest_client import RestCaller

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

AT_ONCE: Json = {"configuration": {}}
"""Protobuf leaves out a `blocking` that is false."""


def said(**more: object) -> Json:
    return {"messageId": "m1", "role": "ROLE_USER", "content": [{"text": "Calculate 25 * 4"}], **more}


async def test_send_waits_where_it_is_asked_to(rest: RestCaller, hand: Hand) -> None:
    body = {"request": said(), "configuration": {"blocking": True}}
    sending = asyncio.create_task(rest.post("/v1/message:send", body))
    await hand.finish(await hand.take(), "100")
    task = ParseDict(await sending, v03.SendMessageResponse()).task
    assert task.status.state == v03.TASK_STATE_COMPLETED
    assert (task.artifacts[0].parts[0].text, task.history[0].content[0].text) == ("100", "Calculate 25 * 4")


async def test_send_without_configuration_waits(rest: RestCaller, hand: Hand) -> None:
    sending = asyncio.create_task(rest.post("/v1/message:send", {"message": said()}))
    await hand.finish(await hand.take(), "100", direct=True)
    assert ParseDict(await sending, v03.SendMessageResponse()).msg.content[0].text == "100"


@pytest.mark.parametrize("name", ["message", "request"])
async def test_configuration_without_blocking_does_not_wait(rest: RestCaller, name: str) -> None:
    answer = await rest.post("/v1/message:send", {name: said(), **AT_ONCE})
    assert answer["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"


async def test_words_of_json_rpc_are_understood_too(rest: RestCaller) -> None:
    message = {"role": "user", "messageId": "m1", "parts": [{"kind": "text", "text": "hi"}]}
    await rest.post("/v1/message:send", {"message": message, "configuration": {"blocking": False}})
    assert (await Task.objects.aget()).prompt == "hi"


async def test_stream(rest: RestCaller, hand: Hand) -> None:
    streaming = asyncio.create_task(rest.stream("POST", "/v1/message:stream", {"request": said()}))
    await hand.finish(await hand.take(), "100")
    events = [ParseDict(event, v03.StreamResponse()) for _, event in await streaming]
    assert [event.WhichOneof("payload") for event in events] == [
        "task", "status_update", "artifact_update", "status_update",
    ]  # fmt: skip
    assert [event.status_update.final for event in (events[1], events[3])] == [False, True]


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_resubscribe_by_either_verb(rest: RestCaller, hand: Hand, verb: str) -> None:
    task = await rest.send()
    streaming = asyncio.create_task(rest.stream(verb, f"/v1/tasks/{task['id']}:subscribe"))
    await subscribed(task["id"])
    await hand.finish(await hand.take(), "100")
    events = [ParseDict(event, v03.StreamResponse()) for _, event in await streaming]
    assert (events[0].task.id, events[-1].status_update.final) == (task["id"], True)


async def test_get_and_cancel(rest: RestCaller) -> None:
    task = await rest.send()
    got = ParseDict(await rest.get(f"/v1/tasks/{task['id']}?historyLength=5"), v03.Task())
    assert (got.id, len(got.history)) == (task["id"], 1)
    body = {"name": f"tasks/{task['id']}"}
    cancelled = ParseDict(await rest.post(f"/v1/tasks/{task['id']}:cancel", body), v03.Task())
    assert cancelled.status.state == v03.TASK_STATE_CANCELLED


async def test_history_of_no_length_is_all_of_it(rest: RestCaller) -> None:
    task = await rest.send()
    assert (await rest.get(f"/v1/tasks/{task['id']}?historyLength=0"))["history"]
    body = {"request": said(), "configuration": {"historyLength": 0}}
    assert (await rest.post("/v1/message:send", body))["task"]["history"]


async def test_card_is_readable_by_the_text_and_by_the_definition(rest: RestCaller) -> None:
    card = await rest.get("/v1/card")
    assert [skill.id for skill in AgentCard.model_validate(card).skills] == ["delegate"]
    parsed = ParseDict(card, v03.AgentCard(), ignore_unknown_fields=True)
    assert parsed.security_schemes["bearer"].http_auth_security_scheme.scheme == "bearer"


# Parts ---------------------------------------------------------------------------------------------------------------

LINK = {"file": {"fileWithUri": "https://x/y", "mimeType": "a/b", "name": "y"}}
DATA = {"data": {"data": {"n": 1}}, "metadata": {"m": 1}}


async def test_parts_come_back_as_they_went(rest: RestCaller) -> None:
    content = [{"text": "look"}, LINK, DATA]
    sent = await rest.post("/v1/message:send", {"request": said(content=content, referenceTaskIds=["t"]), **AT_ONCE})
    task = ParseDict(sent, v03.SendMessageResponse()).task
    assert sent["task"]["history"][0]["content"] == content
    new = await rest.get(f"/tasks/{task.id}")
    assert new["history"][0]["parts"] == [
        {"text": "look"},
        {"url": "https://x/y", "mediaType": "a/b", "filename": "y"},
        {"data": {"n": 1}, "metadata": {"m": 1}},
    ]


async def test_snake_case_is_understood(rest: RestCaller) -> None:
    link = {"file": {"file_with_uri": "https://x/y", "mime_type": "a/b", "name": "y"}}
    message = {"message_id": "m1", "role": "ROLE_USER", "content": [{"text": "look"}, link]}
    sent = await rest.post("/v1/message:send", {"request": message, "configuration": {"history_length": 0}})
    assert sent["task"]["history"][0]["content"] == [{"text": "look"}, LINK]
