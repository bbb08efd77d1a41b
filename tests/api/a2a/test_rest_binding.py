"""The REST binding of 1.0: every path does what its operation does, in the paths' own way of asking."""

import asyncio

import httpx
import pytest
from a2a.types import SendMessageResponse, StreamResponse, Task
from google.protobuf.json_format import ParseDict

from apps.a2a.rest_paths import METHODS_1_0
from apps.tasks.models import Task as TaskRow
from tests.api.a2a.client import Caller, Hand, subscribed
from tests.api.a2a.rest_client import RestCaller

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

SAID = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "Calculate 25 * 4"}]}


async def test_send_waits_for_the_task(rest: RestCaller, hand: Hand) -> None:
    sending = asyncio.create_task(rest.post("/message:send", {"message": SAID}))
    await hand.finish(await hand.take(), "100")
    task = ParseDict(await sending, SendMessageResponse()).task
    assert (task.artifacts[0].parts[0].text, task.history[0].parts[0].text) == ("100", "Calculate 25 * 4")


async def test_direct_answer_is_a_message(rest: RestCaller, hand: Hand) -> None:
    sending = asyncio.create_task(rest.post("/message:send", {"message": SAID}))
    await hand.finish(await hand.take(), "100", direct=True)
    assert ParseDict(await sending, SendMessageResponse()).message.parts[0].text == "100"


async def test_get_and_its_history(rest: RestCaller) -> None:
    task = await rest.send()
    assert len((await rest.get(f"/tasks/{task['id']}"))["history"]) == 1
    short = await rest.get(f"/tasks/{task['id']}?historyLength=0")
    assert ParseDict(short, Task()).id == task["id"]
    assert "history" not in short
    assert "history" not in await rest.get(f"/tasks/{task['id']}?history_length=0")


async def test_cancel_with_and_without_a_body(rest: RestCaller) -> None:
    for body in (None, {}, b"", {"metadata": {"why": "enough"}}):
        task = await rest.send(messageId=f"m{body}")
        cancelled = await rest.post(f"/tasks/{task['id']}:cancel", body)
        assert ParseDict(cancelled, Task()).id == task["id"]
        assert cancelled["status"]["state"] == "TASK_STATE_CANCELED"


async def test_stream_of_a_message(rest: RestCaller, hand: Hand) -> None:
    streaming = asyncio.create_task(rest.stream("POST", "/message:stream", {"message": SAID}))
    await hand.finish(await hand.take(), "100")
    events = [ParseDict(event, StreamResponse()) for _, event in await streaming]
    assert [event.WhichOneof("payload") for event in events] == [
        "task", "status_update", "artifact_update", "status_update",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_subscribe_by_either_verb_and_resume(rest: RestCaller, hand: Hand, verb: str) -> None:
    task = await rest.send()
    streaming = asyncio.create_task(rest.stream(verb, f"/tasks/{task['id']}:subscribe"))
    await subscribed(task["id"])
    await hand.finish(await hand.take(), "100")
    events = await streaming
    (place, _), *rest_of_them = events[1:]
    again = await rest.stream(verb, f"/tasks/{task['id']}:subscribe", **{"last-event-id": place})
    assert again == rest_of_them


async def test_extended_card(rest: RestCaller) -> None:
    assert "delegate" in [skill["id"] for skill in (await rest.get("/extendedAgentCard"))["skills"]]


# Addresses -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/a2a/rest/default", "/a2a"])
async def test_paths_stand_after_a_tenant_and_under_the_prefix_of_all_bindings(rest: RestCaller, base: str) -> None:
    task = await rest.send()
    rest.base = base
    for method in METHODS_1_0:
        path = method.path.format(task_id=task["id"], config_id="none")
        answer = await rest.ask("PUT", path)
        assert (answer.status_code, answer.headers["allow"] != "") == (405, True)
    assert (await rest.get(f"/tasks/{task['id']}"))["id"] == task["id"]
    assert (await rest.post(f"/tasks/{task['id']}:cancel"))["id"] == task["id"]


async def test_tenant_of_path_and_body_must_agree(rest: RestCaller) -> None:
    rest.base = "/a2a/rest/default"
    body = {"message": SAID, "configuration": {"returnImmediately": True}}
    assert (await rest.post("/message:send", {**body, "tenant": "default"}))["task"]
    other = await rest.ask("POST", "/message:send", {"message": {**SAID, "messageId": "m2"}, "tenant": "evil"})
    assert other.status_code == 400
    assert await TaskRow.objects.acount() == 1


@pytest.mark.parametrize("path", ["/extendedAgentCard/", "/v1/card/", "/default/extendedAgentCard/"])
async def test_slash_at_the_end_makes_no_difference(rest: RestCaller, path: str) -> None:
    assert (await rest.get(path))["name"]


@pytest.mark.parametrize("path", ["/a2a", "/a2a/"])
async def test_prefix_of_all_bindings_is_json_rpcs_address_too(ada: Caller, path: str) -> None:
    ada.path = path
    assert (await ada.send())["status"]["state"] == "submitted"
    card = await ada.http.get(path)
    assert card.json() == (await ada.http.get("/.well-known/agent-card.json")).json()


# Media types ---------------------------------------------------------------------------------------------------------

A2A_JSON, PLAIN_JSON = "application/a2a+json", "application/json"


@pytest.mark.parametrize(
    ("headers", "answered"),
    [
        ({}, A2A_JSON),
        ({"accept": "application/json"}, PLAIN_JSON),
        ({"accept": "application/a2a+json, application/json"}, A2A_JSON),
        ({"content-type": "application/json"}, PLAIN_JSON),
        ({"content-type": "application/a2a+json"}, A2A_JSON),
    ],
)
async def test_answer_is_in_the_media_type_that_the_client_knows(
    rest: RestCaller, headers: dict[str, str], answered: str
) -> None:
    response = await rest.ask("GET", "/extendedAgentCard", **headers)
    assert response.headers["content-type"] == answered


@pytest.mark.parametrize("media_type", ["application/json", "application/a2a+json", "Application/JSON; charset=utf-8"])
async def test_bodies_are_json_under_any_name_of_it(rest: RestCaller, media_type: str) -> None:
    body = {"message": SAID, "configuration": {"returnImmediately": True}}
    answer: httpx.Response = await rest.ask("POST", "/message:send", body, **{"content-type": media_type})
    assert answer.status_code == 200
