"""Release: how a worker gives a task back, for good or not."""

import uuid
from typing import Any

import pytest

from apps.core.db import in_database
from apps.tasks import log
from apps.tasks.models import OutboxEntry, Task
from apps.tasks.services import task_answer
from apps.workers.waiting import why_pending
from tests.api.worker.laptop import Json, Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def held_by(laptop: Laptop, cast: Cast, **more: Any) -> Json:
    await in_database(cast.task, **more)
    return await laptop.take()


async def row() -> Task:
    return await in_database(Task.objects.get)


async def kinds() -> list[str]:
    return [event.kind for event in await in_database(log.read, (await row()).id)]


async def test_completed_with_result_session_and_usage(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    more: Json = {"result": "all green", "session_id": "ses_1", "usage": {"input_tokens": 7, "cost_usd": 0.1}}
    answer = await w1.release(held, **more)
    assert answer.json() == {"success": True, "task_id": held["id"], "status": "completed"}
    task = await row()
    assert {name: getattr(task, name) for name in more} == more


@pytest.mark.parametrize(
    ("status", "error"), [("failed", "it broke"), ("cancelled", "stopped"), ("rejected", "against the rules")]
)
async def test_other_endings_keep_the_reason(cast: Cast, w1: Laptop, status: str, error: str) -> None:
    await w1.release(await held_by(w1, cast), status, error=error)
    task = await row()
    assert (task.state, task.error, task.completed_at is not None) == (status, error, True)


async def test_result_that_is_no_text_is_kept_as_json(cast: Cast, w1: Laptop) -> None:
    await w1.release(await held_by(w1, cast), result={"a": [1, None]})
    assert (await row()).result == '{"a":[1,null]}'


async def test_release_sent_again_is_answered_again_and_counts_once(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    answers = [(await w1.release(held, result="r")).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert await kinds() == ["created", "claimed", "completed"]
    assert await in_database(OutboxEntry.objects.count) == 3


async def test_other_ending_afterwards_is_refused(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.release(held, result="r")
    refused = await w1.release(held, "failed", error="no")
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_claim")
    assert (await row()).state == "completed"


async def test_failure_that_may_be_tried_again_waits_and_burns_the_attempt(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast, max_attempts=2)
    assert (await w1.release(held, "failed", error="503", retry=True)).json()["status"] == "pending"
    assert (await w1.claim()).json()["task"] is None
    assert ((await row()).attempt, (await row()).error) == (1, "503")


async def test_given_back_with_retry_after_is_snoozed_and_burns_nothing(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast, max_attempts=1)
    assert (await w1.release(held, "pending", retry_after=3600, error="quota")).json()["status"] == "pending"
    task = await row()
    assert (task.attempt, task.max_attempts) == (1, 2)
    assert (await w1.claim()).json()["task"] is None


async def test_given_back_by_a_drain_is_there_at_once(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    held = await held_by(w1, cast, max_attempts=1)
    await w1.release(held, "pending")
    again = await w2.take()
    assert (again["id"], again["attempt"]) == (held["id"], 2)
    assert again["claim_token"] != held["claim_token"]


async def test_declined_task_goes_to_the_others(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.release(held, "pending", decline=True, error="no such path")
    assert (await w1.claim()).json()["task"] is None
    assert (await w2.take())["id"] == held["id"]


async def test_question_left_behind_is_answered_and_taken_up_again(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    options = [{"id": "a", "label": "This", "kind": "allow"}]
    await w1.release(held, "input_required", question="Which one?", options=options)
    assert (await row()).state == "input_required"
    assert (await w1.beat(held)).json()["leases"] == []
    task_id = uuid.UUID(held["id"])
    await in_database(task_answer, workspace_id=cast.workspace.id, task_id=task_id, message="this", by="ada")
    again = await w1.take()
    assert (again["id"], again["attempt"]) == (held["id"], 2)
    assert [one["message"] for one in (await w1.beat(again)).json()["messages"]] == ["this"]


BAD_RELEASES: list[Json] = [
    {"status": "done"},
    {"status": "running"},
    {"status": 7},
    {"status": "failed", "retry": "yes"},
    {"status": "failed", "error": ["x"]},
    {"status": "failed", "error": "x" * 1_000_001},
    {"usage": []},
    {"usage": {"input_tokens": "7"}},
    {"session_id": 7},
    {"session_id": "s" * 201},
    {"status": "pending", "retry_after": -1},
    {"status": "pending", "retry_after": "soon"},
    {"status": "pending", "decline": 1},
    {"status": "input_required"},
    {"status": "input_required", "question": "?", "options": [1]},
]


async def test_bad_release_changes_nothing(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    before = await in_database(Task.objects.values().get)
    for more in BAD_RELEASES:
        refused = await w1.release(held, **more)
        assert (refused.status_code, refused.json()["code"]) in [(400, "invalid"), (400, "unknown_event")], more
    assert await in_database(Task.objects.values().get) == before


@pytest.mark.parametrize("status", ["completed", "failed", "pending", "input_required"])
async def test_stale_release_changes_nothing(cast: Cast, w1: Laptop, w2: Laptop, status: str) -> None:
    late = await held_by(w1, cast)
    await w1.release(late, "pending")
    await w2.take()
    before = await in_database(Task.objects.values().get)
    refused = await w1.release(late, status, result="late", question="?")
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_claim")
    assert await in_database(Task.objects.values().get) == before


async def test_worker_of_before_needs_no_token_while_it_holds_the_task(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    old = {"worker_id": "w1", "task_id": held["id"]}
    assert (await w1.post("/v1/opencode/workers/w1/heartbeat", {})).json()["leases"]
    events = {"worker_id": "w1", "events": [{"kind": "output", "data": {"content": "hi"}}]}
    assert (await w1.post(f"/v1/worker/tasks/{held['id']}/events", events)).status_code == 200
    assert (await w1.post("/v1/worker/tasks/release", old | {"result": "r"})).json()["status"] == "completed"


async def test_worker_of_before_is_refused_what_it_does_not_hold(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    held = await held_by(w1, cast)
    before = await in_database(Task.objects.values().get)
    for body in ({"worker_id": "w2"}, {"worker_id": "w9"}, {"worker_id": ""}, {}):
        refused = await w2.post("/v1/worker/tasks/release", {"task_id": held["id"], "result": "mine"} | body)
        assert refused.status_code in (400, 409)
    assert await in_database(Task.objects.values().get) == before


async def test_an_unanswered_question_stays_open_when_its_worker_lets_go(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    asked: Json = {"question": "May I?", "options": [{"id": "once", "label": "Yes"}], "diff": "+new\n"}
    session: Json = {"seq": 1, "kind": "session", "data": {"session_id": "ses_1"}}
    await w1.report(held, session, {"seq": 2, "kind": "input_required", "data": asked})
    assert (await w1.release(held, "input_required")).json()["status"] == "input_required"
    task = await row()
    assert (task.lease_expires_at, task.worker_id) == (None, "")
    assert await kinds() == ["created", "claimed", "session", "asked", "lease_lost"]
    [event] = [event for event in await in_database(log.read, task.id) if event.kind == "asked"]
    assert event.data["diff"] == "+new\n"
    answer: Json = {"message": "yes", "data": {"option_id": "once"}, "by": "ada"}
    await in_database(task_answer, workspace_id=task.workspace_id, task_id=task.id, **answer)
    again = await w1.take()
    assert (again["attempt"], again["session_id"]) == (2, "ses_1")
    assert again["answer"].pop("seq") > again["message_seq"]
    assert again["answer"] == {**answer, "question": "May I?", "options": asked["options"], "call_id": ""}


async def test_an_answer_that_crosses_the_letting_go_is_not_lost(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, {"seq": 1, "kind": "input_required", "data": {"question": "May I?"}})
    task = await row()
    await in_database(task_answer, workspace_id=task.workspace_id, task_id=task.id, message="yes", by="ada")
    assert (await w1.release(held, "input_required")).json()["status"] == "pending"
    assert (await w1.take())["answer"]["message"] == "yes"


async def test_a_snoozed_task_says_why_it_waits(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.release(held, "pending", error="a limit of the provider", error_code="quota", retry_after=3600)
    task = await row()
    reason = await in_database(why_pending, task)
    assert (task.attempt, task.max_attempts, reason and reason.code) == (1, 4, "not_before")
    assert str(reason and reason.text).endswith(": a limit of the provider")
