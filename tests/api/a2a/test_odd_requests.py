"""Requests that fuzzing has found to be answered badly."""

import httpx
import orjson
import pytest

from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.rest_client import RestCaller

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

LARGE = {"size": 1e300, "sizes": [-(2.0**64), 1e20]}
"""Floats that PostgreSQL gives back as whole numbers of more than 64 bits."""


async def test_a_task_with_large_numbers_can_be_read(ada: Caller, rest: RestCaller) -> None:
    sent = await rest.send(metadata=LARGE)
    got, listed = await rest.get(f"/tasks/{sent['id']}"), await rest.get("/tasks")
    assert got["history"][0]["metadata"] == LARGE
    assert [task["id"] for task in listed["tasks"]] == [sent["id"]]


async def test_a_task_with_large_numbers_goes_through_a_conversation(ada: Caller, hand: Hand) -> None:
    sent = await ada.send(metadata=LARGE)
    claim = await hand.take()
    part = {"kind": "data", "data": LARGE}
    await hand.say(claim, ("artifact", {"artifact_id": "a1", "parts": [{"data": LARGE}]}))
    await hand.ask(claim)
    await ada.send("this one", taskId=sent["id"], parts=[part])
    await hand.finish(await hand.take())
    got = await ada.result("tasks/get", {"id": sent["id"]})
    assert part in [one for artifact in got["artifacts"] for one in artifact["parts"]]
    assert part in [one for message in got["history"] for one in message["parts"]]


@pytest.mark.parametrize("path", ["/", "/a2a", "/a2a/", "/a2a/jsonrpc", "/v1/a2a"])
@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_verb_than_post_is_refused_by_json_rpc(ada: Caller, verb: str, path: str) -> None:
    response: httpx.Response = await ada.http.request(verb, path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert orjson.loads(response.content)["error"]["code"] == -32601
