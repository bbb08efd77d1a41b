"""Faults that were found in the product that this one follows (docs/decisions): none of them happens here.

Those that other tests show already are not repeated: bad input (test_bad_input.py of tests/api), requeued work that
nobody is told of (test_streaming.py beside this file), streams that cannot resume (tests/e2e/test_streams_survive.py).
"""

import uuid

import pytest
from django.db import connection

from apps.core.db import in_database
from apps.tasks.models import Task
from apps.tasks.services import leases_reap
from tests.api.worker.laptop import Laptop
from tests.expiry import end_pauses, expire_leases
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def long_ago() -> None:
    """As if every task had been made and begun ten days ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET created_at = now() - interval '10 days', started_at = now() - interval '10 days', "
            "updated_at = now() - interval '10 days'"
        )


async def test_whoever_has_not_claimed_a_task_cannot_end_it(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    await in_database(cast.task)
    held = await w1.take()
    before = await in_database(Task.objects.values().get)
    for token in ("", str(uuid.uuid4())):
        path = f"/v1/opencode/tasks/{held['id']}/status"
        said = {"status": "completed", "worker_id": "w2", "claim_token": token, "result": "mine"}
        assert (await w2.http.put(path, json=said)).status_code == 409
        assert (await w2.release(held | {"claim_token": token}, result="mine")).status_code == 409
    assert await in_database(Task.objects.values().get) == before


async def test_late_result_of_a_vanished_worker_does_not_replace_the_seconds(
    cast: Cast, w1: Laptop, w2: Laptop
) -> None:
    await in_database(cast.task)
    late = await w1.take()
    await in_database(expire_leases)
    assert (await in_database(leases_reap)).requeued == 1
    await in_database(end_pauses)
    await w2.release(await w2.take(), result="the second's")
    assert (await w1.release(late, result="the first's, late")).status_code == 409
    assert (await in_database(Task.objects.get)).result == "the second's"


async def test_same_worker_that_claimed_again_cannot_use_its_first_claim(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    first = await w1.take()
    await in_database(expire_leases)
    await in_database(leases_reap)
    await in_database(end_pauses)
    second = await w1.take()
    assert (await w1.release(first, result="of the first claim")).status_code == 409
    assert (await w1.release(second, result="of the second")).status_code == 200


async def test_task_of_any_age_stays_while_its_lease_is_renewed(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    held = await w1.take()
    await in_database(long_ago)
    await w1.beat(held)
    assert (await in_database(leases_reap)).total == 0
    assert (await w1.release(held, result="after ten days")).json()["status"] == "completed"


async def test_a_thousand_tasks_of_one_codebase_do_not_starve_another(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    crowded = await in_database(cast.codebase, "crowded", worker_id="w1")
    quiet = await in_database(cast.codebase, "quiet", worker_id="w2")

    def fill() -> None:
        for _ in range(1100):
            cast.task(codebase_id=crowded.id, priority=5)

    await in_database(fill)
    task = await in_database(cast.task, codebase_id=quiet.id)
    async with w2.stream() as frames:
        assert (await frames.next("task_available"))["task_id"] == str(task.id)
    assert (await w2.take())["id"] == str(task.id)


async def test_global_task_is_kept_and_done(w1: Laptop, w2: Laptop) -> None:
    said = {"title": "Anywhere", "prompt": "Whoever is free.", "codebase_id": "global"}
    made = (await w2.post("/v1/opencode/tasks", said)).json()["task"]
    assert (await w2.http.get(f"/v1/opencode/tasks/{made['id']}")).json()["status"] == "pending"
    listed = (await w2.http.get("/v1/opencode/tasks?codebase_id=global")).json()["tasks"]
    assert [task["id"] for task in listed] == [made["id"]]
    await w1.release(await w1.take(), result="done")
    assert (await w2.http.get(f"/v1/opencode/tasks/{made['id']}")).json()["result"] == "done"
