"""The heartbeat renews leases and brings back what the worker must hear."""

import uuid
from typing import Any

import pytest

from apps.core.db import in_database
from apps.tasks.models import Task
from apps.tasks.services import leases_reap, task_answer, task_cancel, task_message
from tests.api.worker.laptop import Json, Laptop
from tests.expiry import expire_leases
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def held_by(laptop: Laptop, cast: Cast) -> Json:
    await in_database(cast.task)
    return await laptop.take()


def on(cast: Cast, held: Json, **more: Any) -> dict[str, Any]:
    """The arguments of a client's wish for a held task."""
    return {"workspace_id": cast.workspace.id, "task_id": uuid.UUID(held["id"]), "by": "ada"} | more


async def test_heartbeat_renews_the_lease(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await in_database(expire_leases)
    answer = (await w1.beat(held)).json()
    assert [lease["task_id"] for lease in answer["leases"]] == [held["id"]]
    assert answer["cancel"] == answer["messages"] == []
    assert (await in_database(leases_reap)).total == 0


async def test_cancelled_task_is_in_the_next_answer_and_nothing_is_renewed(cast: Cast, w1: Laptop) -> None:
    lost, kept = await held_by(w1, cast), await held_by(w1, cast)
    await in_database(task_cancel, **on(cast, lost))
    answer = (await w1.beat(lost, kept)).json()
    assert answer["cancel"] == [{"task_id": lost["id"], "reason": "cancelled by ada"}]
    assert [one["task_id"] for one in answer["leases"]] == [kept["id"]]


async def test_rescued_task_is_not_renewed_for_its_old_holder(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await in_database(expire_leases)
    await in_database(leases_reap)
    answer = (await w1.beat(held)).json()
    assert ([one["task_id"] for one in answer["cancel"]], answer["leases"]) == ([held["id"]], [])
    assert (await in_database(Task.objects.get)).lease_expires_at is None


async def test_messages_come_until_they_were_heard(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await in_database(task_message, **on(cast, held, message="hurry"))
    await in_database(task_message, **on(cast, held, message="", interrupt=True))
    messages = (await w1.beat(held)).json()["messages"]
    assert [(one["kind"], one["message"], one["by"]) for one in messages] == [
        ("message", "hurry", "ada"),
        ("interrupt", "", "ada"),
    ]
    assert (await w1.beat(held)).json()["messages"] == messages
    heard = [{"task_id": held["id"], "claim_token": held["claim_token"], "message_seq": messages[0]["seq"]}]
    assert (await w1.beat(claims=heard)).json()["messages"] == messages[1:]


async def test_answer_comes_as_input_with_its_data(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, {"seq": 1, "kind": "input_required", "data": {"question": "Which?", "call_id": "c1"}})
    await in_database(task_answer, **on(cast, held, message="that", data={"option": "b"}))
    (message,) = (await w1.beat(held)).json()["messages"]
    assert (message["kind"], message["message"], message["data"]) == ("input", "that", {"option": "b"})


async def test_what_was_said_before_the_claim_comes_after_it(cast: Cast, w1: Laptop) -> None:
    task = await in_database(cast.task)
    await in_database(task_message, workspace_id=cast.workspace.id, task_id=task.id, message="early", by="ada")
    held = await w1.take()
    claims = [{"task_id": held["id"], "claim_token": held["claim_token"], "message_seq": held["message_seq"]}]
    assert [one["message"] for one in (await w1.beat(claims=claims)).json()["messages"]] == ["early"]


async def test_asking_task_keeps_its_lease(cast: Cast, w1: Laptop) -> None:
    held = await held_by(w1, cast)
    await w1.report(held, {"seq": 1, "kind": "input_required", "data": {"question": "Which?"}})
    assert len((await w1.beat(held)).json()["leases"]) == 1


BAD_CLAIMS: list[Any] = [
    {},
    "x",
    [None],
    [{}],
    [{"task_id": "x", "claim_token": "y"}],
    [{"task_id": str(uuid.uuid4()), "claim_token": str(uuid.uuid4()), "message_seq": -1}],
    [{"task_id": str(uuid.uuid4()), "claim_token": str(uuid.uuid4()), "message_seq": "1"}],
    [{"task_id": str(uuid.uuid4()), "claim_token": str(uuid.uuid4()), "message_seq": 2**63}],
]


async def test_bad_claims_are_refused_and_renew_nothing(cast: Cast, w1: Laptop) -> None:
    await held_by(w1, cast)
    before = await in_database(Task.objects.values().get)
    for claims in BAD_CLAIMS:
        assert (await w1.beat(claims=claims)).status_code == 400, claims
    assert await in_database(Task.objects.values().get) == before


async def test_unknown_claim_is_to_be_stopped(w1: Laptop) -> None:
    unknown = {"id": str(uuid.uuid4()), "claim_token": str(uuid.uuid4())}
    assert [one["task_id"] for one in (await w1.beat(unknown)).json()["cancel"]] == [unknown["id"]]


async def test_heartbeat_brings_back_a_worker_that_had_left(w1: Laptop, w2: Laptop) -> None:
    await w1.post("/v1/opencode/workers/w1/unregister", {})
    await w1.beat()
    assert (await w2.http.get("/v1/worker/connected")).json()["total"] == 2
