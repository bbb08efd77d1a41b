"""Claim: the best task that fits, once, with a token."""

import uuid

import pytest

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.models import Task
from apps.tasks.services import task_cancel
from apps.workers.models import Worker
from tests.api.worker.conftest import MakeLaptop
from tests.api.worker.laptop import Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_nothing_to_do_is_no_error(w1: Laptop) -> None:
    answer = (await w1.claim()).json()
    assert (answer["success"], answer["tasks"], answer["task"]) == (True, [], None)


async def test_claim_gives_the_task_its_token_and_the_codebase(cast: Cast, w1: Laptop) -> None:
    shop = await in_database(cast.codebase, "shop", agent_config={"default_model": "a/b"})
    task = await in_database(cast.task, codebase_id=shop.id, metadata={"ticket": 7})
    held = await w1.take()
    assert (held["id"], held["attempt"], held["metadata"]) == (str(task.id), 1, {"ticket": 7})
    assert held["codebase"] == {
        "id": shop.id,
        "name": "shop",
        "path": "/code/shop",
        "agent_config": {"default_model": "a/b"},
    }
    row = await in_database(Task.objects.get)
    assert (row.state, row.worker_id, str(row.claim_token)) == ("running", "w1", held["claim_token"])


async def test_taken_task_is_refused_with_409(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    held = await w1.take() if await in_database(cast.task) else {}
    refused = await w2.claim(task_id=held["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "already_claimed")
    assert (await in_database(Task.objects.get)).worker_id == "w1"


async def test_either_path_claims_a_named_task(cast: Cast, w1: Laptop) -> None:
    first, second = await in_database(cast.task), await in_database(cast.task)
    assert (await w1.take(task_id=str(second.id)))["id"] == str(second.id)
    answer = await w1.post(f"/v1/tasks/{first.id}/claim", {"worker_id": "w1"})
    assert answer.json()["task_id"] == str(first.id)


async def test_limit_claims_several_best_first(cast: Cast, w1: Laptop) -> None:
    made = [await in_database(cast.task, priority=priority) for priority in (0, 5, 1, 3)]
    held = (await w1.claim(limit=3)).json()["tasks"]
    assert [one["id"] for one in held] == [str(made[n].id) for n in (1, 3, 2)]
    assert len({one["claim_token"] for one in held}) == 3


async def test_bad_limit_claims_nothing(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    for limit in (0, -1, 101, 2**63, "3", 1.5, True, [1]):
        assert (await w1.claim(limit=limit)).status_code == 400, limit
    assert (await in_database(Task.objects.get)).state == "pending"


async def test_unknown_task_cannot_be_claimed(w1: Laptop) -> None:
    for task_id in ("nothing", "", 7, {"a": 1}, str(uuid.uuid4())):
        assert (await w1.claim(task_id=task_id)).status_code in (400, 404), task_id


async def test_worker_gets_only_what_it_can_do(cast: Cast, w1: Laptop) -> None:
    theirs = await in_database(cast.codebase, "till", worker_id="w2")
    await in_database(cast.task, "elsewhere's code", codebase_id=theirs.id)
    await in_database(cast.task, "needs a gpu", requires=["gpu"])
    await in_database(cast.task, "needs a model", model="openai/o9")
    await in_database(cast.task, "needs a role", target_agent="reviewer")
    assert (await w1.claim(limit=10)).json()["tasks"] == []


async def test_what_it_can_do_comes_from_its_registration(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task, requires=["gpu"], model="o9", target_agent="reviewer")
    agents = [{"role": "reviewer", "instance": "reviewer:host:1"}]
    await w1.register(capabilities=["gpu", "cpu"], models=["openai/o9"], agents=agents)
    assert (await w1.take())["target_agent"] == "reviewer"


async def test_what_is_sent_to_a_role_goes_to_whichever_instance_asks(cast: Cast, w1: Laptop, w2: Laptop) -> None:
    for laptop in (w1, w2):
        await laptop.register(agents=[{"role": "reviewer", "instance": f"reviewer:host:{laptop.name}"}])
    for _ in range(3):
        await in_database(cast.task, target_agent="reviewer")
    held = [await laptop.take() for laptop in (w1, w2, w1)]
    assert [task["worker_id"] for task in held] == ["w1", "w2", "w1"]


async def test_instance_name_is_no_role(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task, target_agent="reviewer:host:1")
    await w1.register(agents=[{"role": "reviewer", "instance": "reviewer:host:1"}])
    assert (await w1.claim()).json()["task"] is None


async def test_worker_without_a_global_codebase_gets_no_global_task(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    await w1.register(global_codebase_id="")
    assert (await w1.claim()).json()["task"] is None


async def test_codebases_can_be_added_later(cast: Cast, w1: Laptop) -> None:
    shop = await in_database(cast.codebase, worker_id="w2")
    await in_database(cast.task, codebase_id=shop.id)
    said = await w1.http.put("/v1/worker/codebases", json={"worker_id": "w1", "codebases": [shop.id]})
    assert said.json() == {"success": True, "codebases": [shop.id]}
    assert (await w1.take())["codebase_id"] == shop.id


async def test_draining_worker_gets_nothing_new(cast: Cast, w1: Laptop) -> None:
    await in_database(cast.task)
    await in_database(Worker.objects.update, draining=True)
    assert (await w1.claim()).json()["tasks"] == []
    assert (await w1.beat()).json()["drain"] is True


async def test_draining_worker_gets_no_task_by_naming_it(cast: Cast, w1: Laptop) -> None:
    task = await in_database(cast.task)
    await in_database(Worker.objects.update, draining=True)
    refused = await w1.claim(task_id=str(task.id))
    assert (refused.status_code, refused.json()["code"]) == (409, "already_claimed")
    await in_database(task.refresh_from_db)
    assert (task.state, task.attempt) == ("pending", 0)


async def test_worker_that_says_it_drains_gets_nothing_new_until_it_registers_again(cast: Cast, w1: Laptop) -> None:
    task = await in_database(cast.task)
    beat = {"claims": [], "status": "draining"}
    assert (await w1.post("/v1/opencode/workers/w1/heartbeat", beat)).json()["drain"] is False  # nobody asked for it
    assert (await w1.claim()).json()["tasks"] == []
    await w1.beat()  # says nothing of it
    assert (await w1.claim(task_id=str(task.id))).status_code == 409
    await w1.register()
    assert (await w1.take())["id"] == str(task.id)


async def test_ended_task_cannot_be_claimed(cast: Cast, w1: Laptop) -> None:
    task = await in_database(cast.task)
    await in_database(task_cancel, workspace_id=cast.workspace.id, task_id=task.id, by="ada")
    assert (await w1.claim(task_id=str(task.id))).status_code == 409
    assert (await in_database(Task.objects.get)).state == "cancelled"


async def test_other_workspaces_worker_sees_and_touches_nothing(cast: Cast, w1: Laptop, laptop_of: MakeLaptop) -> None:
    other = await in_database(cast.elsewhere)
    eve = laptop_of("w1", await in_database(other.token, Role.WORKER))
    await eve.register()
    waiting, held = await in_database(cast.task), None
    held = await w1.take(task_id=str(waiting.id))
    before = await in_database(Task.objects.values().get)
    assert (await eve.claim()).json()["tasks"] == []
    assert (await eve.claim(task_id=held["id"])).status_code == 404
    assert (await eve.report(held, {"seq": 1, "kind": "status", "data": {"message": "hi"}})).status_code == 404
    assert (await eve.release(held, result="stolen")).status_code == 404
    assert (await eve.beat(held)).json()["leases"] == []
    assert await in_database(Task.objects.values().get) == before


async def test_codebases_that_are_busy_on_the_worker_are_left_out(cast: Cast, w1: Laptop) -> None:
    shop, bakery = await in_database(cast.codebase, "shop"), await in_database(cast.codebase, "bakery")
    await in_database(cast.task, codebase_id=shop.id, priority=9)
    other = await in_database(cast.task, codebase_id=bakery.id)
    answer = (await w1.claim(limit=5, exclude_codebases=[shop.id])).json()
    assert [task["id"] for task in answer["tasks"]] == [str(other.id)]
    assert (await w1.claim(exclude_codebases="shop")).status_code == 400
