"""ListTasks: the tasks of a workspace, latest change of status first."""

from typing import Any

import pytest
from a2a.types import ListTasksResponse
from google.protobuf.json_format import ParseDict

from apps.core.db import in_database
from tests.api.a2a.client import Caller, Hand
from tests.factories import Cast

Json = dict[str, Any]
pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def listed(ada: Caller, **params: Any) -> Json:
    found = await ada.result("ListTasks", params)
    ParseDict(found, ListTasksResponse())
    return found


def ids(page: Json) -> list[str]:
    return [task["id"] for task in page["tasks"]]


async def three(ada: Caller) -> list[str]:
    return [(await ada.send(f"task {number}"))["id"] for number in range(3)]


async def test_what_changed_last_comes_first(ada: Caller, hand: Hand) -> None:
    first, second, third = await three(ada)
    await hand.take()
    page = await listed(ada)
    assert ids(page) == [first, third, second]
    assert (page["totalSize"], page["pageSize"], page["nextPageToken"]) == (3, 50, "")
    assert page["tasks"][0]["status"]["state"] == "TASK_STATE_WORKING"


async def test_pages_hold_every_task_once(ada: Caller) -> None:
    made = await three(ada)
    page = await listed(ada, pageSize=2)
    rest = await listed(ada, pageSize=2, pageToken=page["nextPageToken"])
    assert ids(page) + ids(rest) == made[::-1]
    assert (page["totalSize"], rest["totalSize"], rest["nextPageToken"]) == (3, 3, "")


async def test_filters_narrow_the_list(ada: Caller, hand: Hand) -> None:
    first, second, third = await three(ada)
    claim = await hand.take()
    await hand.finish(claim)
    ended = await listed(ada, status="TASK_STATE_COMPLETED")
    assert (ids(ended), ended["totalSize"]) == ([first], 1)
    context = ended["tasks"][0]["contextId"]
    assert ids(await listed(ada, contextId=context)) == [first]
    moved = ended["tasks"][0]["status"]["timestamp"]
    assert first not in ids(await listed(ada, status="TASK_STATE_SUBMITTED"))
    assert set(ids(await listed(ada, statusTimestampAfter=moved))) <= {first}
    assert ids(await listed(ada, contextId="elsewhere")) == []
    assert {second, third} == set(ids(await listed(ada, status="submitted")))


async def test_artifacts_and_history_come_as_wanted(ada: Caller, hand: Hand) -> None:
    await ada.send("What is it?")
    claim = await hand.take()
    await hand.say(claim, ("artifact", {"artifact_id": "a", "parts": [{"text": "made"}]}))
    await hand.finish(claim, "100")
    (bare,) = (await listed(ada, historyLength=0))["tasks"]
    assert "artifacts" not in bare
    assert "history" not in bare
    (full,) = (await listed(ada, includeArtifacts=True))["tasks"]
    assert full == await ada.result("GetTask", {"id": full["id"]})
    assert [one["artifactId"] for one in full["artifacts"]] == ["result", "a"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pageSize", 0),
        ("pageSize", 101),
        ("pageSize", "many"),
        ("pageToken", "nonsense"),
        ("pageToken", "eA=="),
        ("status", "TASK_STATE_MADE_UP"),
        ("statusTimestampAfter", "yesterday"),
        ("statusTimestampAfter", "0001-01-01T00:00:00+14:00"),
        ("historyLength", -1),
        ("includeArtifacts", "perhaps"),
        ("contextId", 7),
    ],
)
async def test_what_cannot_be_is_named(ada: Caller, name: str, value: object) -> None:
    answer = await ada.call("ListTasks", {name: value})
    assert answer["error"]["code"] == -32602
    assert name in answer["error"]["message"]


async def test_another_workspaces_tasks_are_not_there(ada: Caller, cast: Cast) -> None:
    await in_database(lambda: cast.elsewhere().task())
    assert await listed(ada) == {"tasks": [], "nextPageToken": "", "pageSize": 50, "totalSize": 0}
