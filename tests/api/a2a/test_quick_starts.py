"""The documented quick starts, body for body, and the other spellings that clients use."""

import asyncio

import orjson
import pytest

from apps.tasks.models import Task
from tests.api.a2a.client import Caller, Hand, Json

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

CALCULATE = b"""{
    "jsonrpc": "2.0",
    "method": "message/send",
    "params": {"message": {"parts": [{"type": "text", "content": "Calculate 25 * 4"}]}}
  }"""
ANALYZE = b"""{
    "jsonrpc": "2.0",
    "method": "message/send",
    "params": {
      "message": {
        "parts": [{"type": "text", "content": "Analyze this codebase"}]
      }
    },
    "id": "1"
  }"""


async def test_calculation_posted_to_the_root_without_an_id(ada: Caller, hand: Hand) -> None:
    posting = asyncio.create_task(ada.post(CALCULATE, path="/"))
    await hand.finish(await hand.take(), "100")
    answer = (await posting).json()
    assert answer["id"] is None
    assert answer["result"]["artifacts"][0]["parts"] == [{"kind": "text", "text": "100"}]
    assert answer["result"]["status"]["state"] == "completed"


async def test_analysis_posted_to_v1_a2a(ada: Caller, hand: Hand) -> None:
    posting = asyncio.create_task(ada.post(ANALYZE, path="/v1/a2a"))
    await hand.finish(await hand.take(), "A shop in Python.")
    answer = (await posting).json()
    assert (answer["id"], answer["result"]["artifacts"][0]["parts"][0]["text"]) == ("1", "A shop in Python.")
    assert (await Task.objects.aget()).prompt == "Analyze this codebase"


async def test_curl_that_does_not_name_the_media_type_is_served(ada: Caller) -> None:
    body = orjson.loads(ANALYZE)
    body["params"]["configuration"] = {"blocking": False}
    answer = await ada.post(body, {"content-type": "application/x-www-form-urlencoded"})
    assert answer.json()["result"]["status"]["state"] == "submitted"


async def test_missing_id_elsewhere_is_refused(ada: Caller) -> None:
    for path in ("/a2a/jsonrpc", "/v1/a2a"):
        assert (await ada.post(CALCULATE, path=path)).json()["error"]["code"] == -32600
    assert not await Task.objects.aexists()


@pytest.mark.parametrize("path", ["/a2a/jsonrpc", "/v1/a2a", "/"])
async def test_one_endpoint_has_three_addresses(ada: Caller, path: str) -> None:
    ada.path = path
    assert (await ada.send())["status"]["state"] == "submitted"


@pytest.mark.parametrize(
    ("part", "prompt"),
    [
        ({"kind": "text", "text": "hi"}, "hi"),
        ({"type": "text", "text": "hi"}, "hi"),
        ({"type": "text", "content": "hi"}, "hi"),
        ({"text": "hi"}, "hi"),
        ({"text": "hi", "mediaType": "text/plain"}, "hi"),
        ({"kind": "data", "data": {"n": 1}}, '```json\n{\n  "n": 1\n}\n```'),
        ({"data": [1]}, "```json\n[\n  1\n]\n```"),
        ({"kind": "file", "file": {"uri": "https://x/y", "name": "y"}}, "Attached: y <https://x/y>"),
        ({"url": "https://x/y", "filename": "y"}, "Attached: y <https://x/y>"),
    ],
)
async def test_part_in_any_spelling_becomes_the_prompt(ada: Caller, part: Json, prompt: str) -> None:
    await ada.send(parts=[part])
    assert (await Task.objects.aget()).prompt == prompt


async def test_both_versions_show_what_was_sent(ada: Caller) -> None:
    parts = [{"kind": "text", "text": "look"}, {"kind": "file", "file": {"uri": "https://x/y", "mimeType": "a/b"}}]
    task = await ada.send(parts=[*parts, {"kind": "data", "data": {"n": 1}, "metadata": {"m": 1}}])
    old = await ada.result("tasks/get", {"task_id": task["id"]})
    assert old["history"][0]["parts"] == [*parts, {"kind": "data", "data": {"n": 1}, "metadata": {"m": 1}}]
    new = await ada.result("GetTask", {"id": task["id"]})
    assert new["history"][0]["parts"] == [
        {"text": "look"}, {"url": "https://x/y", "mediaType": "a/b"}, {"data": {"n": 1}, "metadata": {"m": 1}},
    ]  # fmt: skip


async def test_cancel_takes_task_id_for_id(ada: Caller) -> None:
    task = await ada.send()
    cancelled = await ada.result("tasks/cancel", {"task_id": task["id"]})
    assert cancelled["status"]["state"] == "canceled"


async def test_answer_has_the_requests_id_whatever_its_type(ada: Caller) -> None:
    for given in ("a", 7, None):
        body = {"jsonrpc": "2.0", "id": given, "method": "tasks/get", "params": {"id": "none"}}
        assert (await ada.post(body)).json()["id"] == given


async def test_answer_is_json_without_surprises(ada: Caller) -> None:
    response = await ada.post(orjson.loads(ANALYZE) | {"params": {}})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
