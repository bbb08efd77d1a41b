"""The worker's stream tells what it could claim and what it must hear, as soon as that is so."""

import uuid
from typing import Any

import pytest

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.services import leases_reap, task_answer, task_cancel, task_message, task_requeue
from tests.api.worker.conftest import MakeLaptop
from tests.api.worker.laptop import Json, Laptop
from tests.expiry import end_pauses, expire_leases
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def on(cast: Cast, task_id: object, **more: Any) -> dict[str, Any]:
    return {"workspace_id": cast.workspace.id, "task_id": uuid.UUID(str(task_id)), "by": "ada"} | more


async def test_stream_greets_and_keeps_alive(w1: Laptop) -> None:
    async with w1.stream() as frames:
        assert (frames.status, frames.received["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert frames.received["x-accel-buffering"] == "no"
        greeting = await frames.frame()
        assert greeting.startswith("retry: ")
        assert 'event: connected\ndata: {"worker_id":"w1"' in greeting
        assert await frames.silence() == []


async def test_what_is_pending_is_told_on_connecting_best_first(cast: Cast, w1: Laptop) -> None:
    made = [await in_database(cast.task, f"t{n}", priority=n) for n in (1, 3, 2)]
    async with w1.stream() as frames:
        told = [await frames.next("task_available") for _ in made]
    assert [one["title"] for one in told] == ["t3", "t2", "t1"]
    assert told[0]["task_id"] == str(made[1].id)
    assert {"codebase_id": "global", "priority": 3, "agent_type": "build"}.items() <= told[0].items()


async def test_new_task_is_told(cast: Cast, w1: Laptop) -> None:
    async with w1.stream() as frames:
        await frames.next("connected")
        task = await in_database(cast.task)
        assert (await frames.next("task_available"))["task_id"] == str(task.id)


async def test_requeued_task_is_told(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    await in_database(cast.task)
    held = await w2.take()
    async with w1.stream() as frames:
        await frames.next("connected")
        await in_database(task_requeue, **on(cast, held["id"]))
        assert (await frames.next("task_available"))["task_id"] == held["id"]


async def test_rescued_task_is_told_when_its_pause_is_over(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    await in_database(cast.task)
    held = await w2.take()
    async with w1.stream() as frames:
        await frames.next("connected")
        await in_database(expire_leases)
        assert (await in_database(leases_reap)).requeued == 1
        assert await frames.silence() == []
        await in_database(end_pauses)
        assert (await frames.next("task_available"))["task_id"] == held["id"]


async def test_same_task_is_told_once_each_time_it_becomes_pending(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    await in_database(cast.task)
    async with w1.stream() as frames:
        assert await frames.silence() == ["connected", "task_available"]
        assert await frames.silence() == []
        await w2.release(await w2.take(), "pending")
        assert await frames.silence() == ["task_available"]


async def test_tasks_for_others_are_not_told(cast: Cast, w1: Laptop) -> None:
    theirs = await in_database(cast.codebase, worker_id="w2")
    other = await in_database(cast.elsewhere)
    async with w1.stream() as frames:
        await frames.next("connected")
        await in_database(cast.task, codebase_id=theirs.id)
        await in_database(cast.task, requires=["gpu"])
        await in_database(cast.task, target_agent="reviewer")
        await in_database(other.task)
        assert await frames.silence() == []


async def test_headers_widen_what_is_told(cast: Cast, w1: Laptop) -> None:
    shop = await in_database(cast.codebase, worker_id="w2")
    said = {"X-Codebases": f"{shop.id}, another", "X-Capabilities": "gpu", "X-Agent-Name": "reviewer"}
    async with w1.stream(said) as frames:
        await frames.next("connected")
        task = await in_database(cast.task, codebase_id=shop.id, requires=["gpu"], target_agent="reviewer")
        assert (await frames.next("task_available"))["task_id"] == str(task.id)


async def test_headers_alone_may_name_the_worker(w1: Laptop) -> None:
    async with w1.stream({"X-Worker-ID": "w1"}, worker_id="") as frames:
        assert (await frames.next("connected"))["worker_id"] == "w1"


async def test_codebase_that_came_after_connecting_is_told_of(cast: Cast, w1: Laptop) -> None:
    async with w1.stream() as frames:
        await frames.next("connected")
        shop = await in_database(cast.codebase)
        assert await frames.silence() == []
        task = await in_database(cast.task, codebase_id=shop.id)
        assert (await frames.next("task_available"))["task_id"] == str(task.id)


async def test_cancel_is_told_to_the_holder_alone(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    await in_database(cast.task)
    held = await w1.take()
    async with w1.stream() as mine, w2.stream() as theirs:
        await mine.next("connected")
        await theirs.next("connected")
        await in_database(task_cancel, **on(cast, held["id"], reason="changed my mind"))
        assert await mine.next("cancel") == {"task_id": held["id"], "reason": "changed my mind"}
        assert await theirs.silence() == []


async def test_requeue_is_told_to_the_holder_as_cancel(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    held = await w1.take()
    async with w1.stream() as frames:
        await frames.next("connected")
        await in_database(task_requeue, **on(cast, held["id"]))
        assert (await frames.next("cancel", "task_available"))["task_id"] == held["id"]


async def test_message_and_answer_are_told_to_the_holder(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    held = await w1.take()
    question: Json = {"seq": 1, "kind": "input_required", "data": {"question": "Which?"}}
    await w1.report(held, question)
    async with w1.stream() as frames:
        await frames.next("connected")
        await in_database(task_message, **on(cast, held["id"], message="hurry"))
        assert (await frames.next("message"))["message"] == "hurry"
        await in_database(task_answer, **on(cast, held["id"], message="that"))
        told = await frames.next("message")
        assert (told["kind"], told["message"], told["task_id"]) == ("input", "that", held["id"])


async def test_stream_without_a_worker_is_refused(laptop_of: MakeLaptop) -> None:
    refused = await laptop_of().http.get("/v1/worker/tasks/stream")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["worker_id"])


async def test_twin_of_another_workspace_hears_nothing(cast: Cast, w1: Laptop, laptop_of: MakeLaptop) -> None:
    other = await in_database(cast.elsewhere)
    twin = laptop_of("w1", await in_database(other.token, Role.WORKER))
    await twin.register()
    await in_database(cast.task)
    held = await w1.take()
    async with twin.stream() as frames:
        await frames.next("connected")
        await in_database(task_cancel, **on(cast, held["id"]))
        await in_database(cast.task)
        assert await frames.silence() == []
