"""ListTasks by the clients of 1.0: page by page, and with filters."""

import uuid
from typing import Any

import pytest

from tests.contract.clients.hands import Hand
from tests.contract.clients.speaking import WAYS, Seen, Speaker

pytestmark = pytest.mark.django_db  # the site's database is a copy of the tests' own

every_way_that_lists = pytest.mark.parametrize(
    "speaker", [way for way in WAYS if way.version == "1.0"], ids=str, indirect=True
)


@every_way_that_lists
def test_pages_hold_every_task_once_latest_change_first(speaker: Speaker) -> None:
    context = uuid.uuid4().hex
    made = [speaker.sent(f"task {number}", context_id=context).task_id for number in range(5)]
    found: list[str] = []
    token = ""
    while True:
        page = speaker.list_tasks(contextId=context, pageSize=2, pageToken=token)
        assert page["totalSize"] == 5
        found += [task["id"] for task in page["tasks"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert found == made[::-1]


@every_way_that_lists
def test_filters(speaker: Speaker, hand: Hand) -> None:
    context = uuid.uuid4().hex
    done = speaker.sent("one", context_id=context).task_id
    waiting = speaker.sent("two", context_id=context).task_id
    hand.take().finish("1")

    def ids(**filters: Any) -> list[str]:
        return [task["id"] for task in speaker.list_tasks(contextId=context, **filters).get("tasks", [])]

    assert ids() == [done, waiting]
    assert ids(status="TASK_STATE_COMPLETED") == [done]
    assert ids(status="TASK_STATE_SUBMITTED") == [waiting]
    moved = speaker.get(waiting).body["status"]["timestamp"]
    assert ids(statusTimestampAfter=moved) == [done, waiting]
    assert ids(statusTimestampAfter="2999-01-01T00:00:00Z") == []


@every_way_that_lists
def test_artifacts_come_only_where_they_are_wanted(speaker: Speaker, hand: Hand) -> None:
    context = uuid.uuid4().hex
    speaker.sent("one", context_id=context)
    hand.take().finish("1")

    def only(**wishes: Any) -> dict[str, Any]:
        (task,) = speaker.list_tasks(contextId=context, **wishes)["tasks"]
        return dict(task)

    assert not only().get("artifacts")
    assert Seen("task", only(includeArtifacts=True)).artifacts == {"result": "1"}
    assert not only(historyLength=0).get("history")
