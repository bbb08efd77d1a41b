"""Register, leave, and who may speak the worker protocol at all."""

from typing import Any

import pytest
from django.conf import settings

from apps.accounts.permissions import Role
from apps.core.db import in_database
from apps.tasks.models import Task, TaskEvent
from apps.workers.models import Worker
from tests.api.worker.conftest import MakeLaptop
from tests.api.worker.laptop import Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def test_registration_answers_with_the_lease_and_a_heartbeat_well_within_it(laptop_of: MakeLaptop) -> None:
    answer = (await laptop_of("w1").register()).json()
    assert answer["success"] is True
    assert (answer["worker_id"], answer["lease_seconds"]) == ("w1", settings.LEASE_SECONDS)
    assert 0 < answer["heartbeat_interval"] <= settings.LEASE_SECONDS / 3


@pytest.mark.parametrize(("lease", "found_for", "every"), [(60, 120, 15), (3600, 120, 45), (60, 20, 10)])
async def test_worker_that_beats_as_told_keeps_its_leases_and_stays_to_be_found(
    laptop_of: MakeLaptop, settings: Any, lease: float, found_for: float, every: float
) -> None:
    settings.LEASE_SECONDS, settings.A2A_AGENT_DISCOVERY_MAX_AGE = lease, found_for
    assert (await laptop_of("w1").register()).json()["heartbeat_interval"] == every


async def test_registering_again_replaces_what_was_said_before(w1: Laptop) -> None:
    await w1.register(capabilities=["gpu"], models=["openai/o9"])
    await w1.register(capabilities=["cpu"])
    worker = await in_database(Worker.objects.get)
    assert (worker.capabilities, worker.offered_models) == (["cpu"], [])


async def test_models_of_older_workers_are_understood(w1: Laptop) -> None:
    await w1.register(models=["a/b", {"modelID": "c", "providerID": "d"}, {"id": "e/f", "name": "F"}])
    worker = await in_database(Worker.objects.get)
    assert [model["id"] for model in worker.offered_models] == ["a/b", "d/c", "e/f"]


BAD_REGISTRATIONS: list[tuple[dict[str, Any], str]] = [
    ({"worker_id": ""}, "worker_id"),
    ({"worker_id": 7}, "worker_id"),
    ({"name": None}, "name"),
    ({"name": "n" * 201}, "name"),
    ({"capabilities": "gpu"}, "capabilities"),
    ({"capabilities": [1]}, "capabilities"),
    ({"models": [{"name": "no id"}]}, "models"),
    ({"models": [{"id": "x", "provider": 7}]}, "models"),
    ({"agents": [{"instance": "no role"}]}, "agents"),
    ({"programs": [{"version": "1"}]}, "programs"),
    ({"programs": [{"name": "codex", "version": 1}]}, "programs"),
    ({"programs": [{"name": "codex", "models": [""]}]}, "programs"),
    ({"codebases": {}}, "codebases"),
    ({"codebases": ["c"] * 1001}, "codebases"),
    ({"concurrency": True}, "concurrency"),
    ({"concurrency": 0}, "concurrency"),
    ({"version": "v" * 65}, "version"),
]


async def test_bad_registration_names_the_field_and_registers_nobody(laptop_of: MakeLaptop) -> None:
    for said, field in BAD_REGISTRATIONS:
        refused = await laptop_of().register(**said)
        assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert not await in_database(Worker.objects.exists)


async def test_body_that_is_no_object_is_refused(laptop_of: MakeLaptop) -> None:
    for body in (b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"worker_id":"a\\u0000"}', b"[" * 2000):
        refused = await laptop_of().post("/v1/opencode/workers/register", body)
        assert (body, refused.status_code) == (body, 400)
    assert not await in_database(Worker.objects.exists)


CALLS = [
    ("POST", "/v1/opencode/workers/register", {"worker_id": "w9", "name": "w9"}),
    ("POST", "/v1/agent/workers/register", {"worker_id": "w9", "name": "w9"}),
    ("POST", "/v1/opencode/workers/w1/heartbeat", {}),
    ("POST", "/v1/opencode/workers/w1/unregister", {}),
    ("PUT", "/v1/worker/codebases", {"worker_id": "w1", "codebases": ["c"]}),
    ("POST", "/v1/worker/tasks/claim", {"worker_id": "w1"}),
    ("POST", "/v1/tasks/TASK/claim", {"worker_id": "w1"}),
    ("POST", "/v1/worker/tasks/TASK/events", {"worker_id": "w1", "events": []}),
    ("POST", "/v1/worker/tasks/release", {"worker_id": "w1", "task_id": "TASK"}),
    ("GET", "/v1/worker/tasks/stream?worker_id=w1", None),
]


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("wrong", 401), (Role.VIEWER, 403), (Role.OPERATOR, 403)])
async def test_only_workers_and_admins_speak_the_worker_protocol(
    cast: Cast, w1: Laptop, laptop_of: MakeLaptop, role: Role | str | None, status: int
) -> None:
    task = await in_database(cast.task)
    before = await in_database(Worker.objects.values().get)
    token = await in_database(cast.token, role) if isinstance(role, Role) else role or ""
    stranger = laptop_of("w9", token)
    for method, path, body in CALLS:
        answer = await stranger.http.request(method, path.replace("TASK", str(task.id)), json=body)
        assert (path, answer.status_code) == (path, status)
        assert set(answer.json()) == {"detail", "code"}
    assert await in_database(Worker.objects.values().get) == before
    assert (await in_database(Task.objects.get)).state == "pending"
    assert await in_database(TaskEvent.objects.count) == 1


@pytest.mark.parametrize("role", [Role.WORKER, Role.ADMIN])
async def test_workers_and_admins_do(cast: Cast, laptop_of: MakeLaptop, role: Role) -> None:
    laptop = laptop_of("w9", await in_database(cast.token, role))
    assert (await laptop.register()).status_code == 200
    assert (await laptop.claim()).json()["tasks"] == []


async def test_connected_workers_are_listed_until_they_leave(w1: Laptop, w2: Laptop) -> None:
    listed = (await w2.http.get("/v1/worker/connected")).json()
    assert [worker["worker_id"] for worker in listed["workers"]] == ["w1", "w2"]
    assert (await w2.http.get("/v1/worker/connected/w1")).json()["status"] == "active"
    await w1.post("/v1/opencode/workers/w1/unregister", {})
    listed = (await w2.http.get("/v1/workers/connected")).json()
    assert (listed["total"], [worker["worker_id"] for worker in listed["workers"]]) == (1, ["w2"])
    assert (await w2.http.get("/v1/worker/connected/w1")).json()["status"] == "offline"


async def test_unknown_worker_is_told_to_register(laptop_of: MakeLaptop) -> None:
    nobody = laptop_of("w9")
    for answer in (
        await nobody.beat(),
        await nobody.claim(),
        await nobody.post("/v1/opencode/workers/w9/unregister", {}),
        await nobody.http.get("/v1/worker/tasks/stream?worker_id=w9"),
        await nobody.http.get("/v1/worker/connected/w9"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "worker_not_found")


async def test_strange_worker_ids_are_unknown(laptop_of: MakeLaptop) -> None:
    stranger = laptop_of("w9")
    for name in ("%00", "%ff", "a%2Fb", "x" * 5000, "..%2f.."):
        for path in (f"/v1/opencode/workers/{name}/heartbeat", f"/v1/opencode/workers/{name}/unregister"):
            assert (await stranger.post(path, {})).status_code in (400, 404), path
        for path in (f"/v1/worker/tasks/stream?worker_id={name}", f"/v1/worker/connected/{name}"):
            assert (await stranger.http.get(path)).status_code in (400, 404), path


async def test_same_worker_id_in_two_workspaces_is_two_workers(cast: Cast, w1: Laptop, laptop_of: MakeLaptop) -> None:
    other = await in_database(cast.elsewhere)
    twin = laptop_of("w1", await in_database(other.token, Role.WORKER))
    assert (await twin.register(capabilities=["gpu"])).status_code == 200
    mine = await in_database(Worker.objects.get, workspace=cast.workspace)
    assert (await in_database(Worker.objects.count), mine.capabilities) == (2, [])
