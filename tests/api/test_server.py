"""Status, models, providers, workers, agents, the queue and the reaper over REST."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now
from pydantic import BaseModel

from apps.rest import answers
from apps.tasks.models import LastSweep, Task
from apps.tasks.services import leases_reap
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register, worker_seen
from tests.api.conftest import Api
from tests.expiry import expire_leases
from tests.factories import Cast

SONNET = {"id": "anthropic/sonnet", "name": "Sonnet", "provider": "anthropic"}
OPENCODE = {"name": "opencode", "version": "1.18.33", "models": ["anthropic/sonnet"]}
REVIEWER = {"role": "code-reviewer", "instance": "code-reviewer:host:w1", "description": "reads code"}


@pytest.fixture
def worker(cast: Cast) -> None:
    said: dict[str, Any] = {"models": [SONNET], "agents": [REVIEWER], "capabilities": ["opencode"]}
    said |= {"worker_id": "w1", "name": "Hopper", "programs": [OPENCODE]}
    worker_register(workspace_id=cast.workspace.id, registration=Registration(**said))


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/opencode/status", answers.ServerStatus),
        ("/v1/opencode/models", answers.Models),
        ("/v1/opencode/providers", answers.Providers),
        ("/v1/opencode/workers", answers.WorkerPage),
        ("/v1/opencode/workers/w1", answers.Worker),
        ("/v1/opencode/reaper/health", answers.ReaperHealth),
        ("/v1/opencode/database/status", answers.DatabaseStatus),
        ("/v1/opencode/database/codebases", answers.StoredCodebasePage),
        ("/v1/opencode/database/workers", answers.StoredWorkerPage),
        ("/v1/queue/status", answers.QueueStatus),
        ("/v1/agents", answers.Agents),
        ("/v1/auth/me", answers.Me),
    ],
)
@pytest.mark.usefixtures("worker")
def test_answer_has_the_described_shape(api: Api, path: str, shape: type[BaseModel]) -> None:
    answer = api.get(path)
    assert answer.status_code == 200
    shape.model_validate(answer.json())


def test_nothing_is_available_without_a_worker(api: Api) -> None:
    status = api.get("/v1/opencode/status").json()
    assert (status["available"], status["registered_codebases"]) == (False, 0)
    assert api.get("/v1/opencode/models").json() == {"models": [], "total": 0}


@pytest.mark.usefixtures("worker")
def test_models_are_those_that_workers_offer(api: Api) -> None:
    assert api.get("/v1/opencode/models").json()["models"] == [
        {**SONNET, "workers_available": 1, "programs": ["opencode"]}
    ]
    (provider,) = api.get("/v1/opencode/providers").json()["providers"]
    assert (provider["id"], len(provider["models"])) == ("anthropic", 1)


@pytest.mark.usefixtures("worker")
def test_programs_are_shown_with_their_versions(api: Api, cast: Cast) -> None:
    newer = Registration(worker_id="w2", name="Lovelace", programs=[OPENCODE | {"version": "1.19.0", "models": []}])
    worker_register(workspace_id=cast.workspace.id, registration=newer)
    (told,) = api.get("/v1/opencode/status").json()["runtime"]["programs"]
    assert told == {
        "name": "opencode", "versions": ["1.18.33", "1.19.0"], "workers_available": 2, "models": ["anthropic/sonnet"],
    }  # fmt: skip
    assert api.get("/v1/opencode/workers/w1").json()["programs"] == [OPENCODE]


def test_bridge_is_no_machine(api: Api, cast: Cast) -> None:
    cousin = {"role": "cousin", "instance": "cousin:bridge", "description": "elsewhere"}
    bridge = Registration(worker_id="bridge", name="A2A bridge", agents=[cousin], only_targeted=True)
    worker_register(workspace_id=cast.workspace.id, registration=bridge)
    status = api.get("/v1/opencode/status").json()
    assert (status["available"], status["runtime"]["workers_connected"]) == (False, 0)
    assert status["runtime"]["remote_agents_connected"] == 1
    assert api.get("/v1/queue/status").json()["workers_connected"] == 0
    assert api.get("/v1/opencode/workers/bridge").json()["kind"] == "bridge"
    assert [agent["role"] for agent in api.get("/v1/agents").json()["agents"]] == ["cousin"]


@pytest.mark.usefixtures("worker")
def test_agent_that_was_not_seen_lately_is_gone_from_discovery_and_stays_in_history(api: Api, cast: Cast) -> None:
    done = cast.held()
    long_ago = Now() - timedelta(seconds=settings.A2A_AGENT_DISCOVERY_MAX_AGE + 1)
    Worker.objects.update(last_seen_at=long_ago)
    assert api.get("/v1/agents").json()["agents"] == []
    assert api.get("/v1/opencode/workers/w1").json().items() >= {"status": "offline", "agents": [REVIEWER]}.items()
    assert api.get(f"/v1/opencode/tasks/{done.task_id}").json()["worker_id"] == "w1"
    worker_seen(workspace_id=cast.workspace.id, worker_id="w1")
    assert len(api.get("/v1/agents").json()["agents"]) == 1


@pytest.mark.usefixtures("worker")
def test_agents_are_found_at_both_addresses(api: Api) -> None:
    (agent,) = api.get("/agents").json()["agents"]
    assert (agent["role"], agent["name"]) == ("code-reviewer", "code-reviewer:host:w1")
    assert api.get("/v1/agents").json() == api.get("/agents").json()


def test_workers_of_other_workspaces_are_not_found(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere()
    worker_register(workspace_id=theirs.workspace.id, registration=Registration(worker_id="spy", name="spy"))
    assert api.get("/v1/opencode/workers/spy").status_code == 404
    assert api.get("/v1/opencode/workers").json()["total"] == 0


def test_queue_counts_by_state(api: Api, cast: Cast) -> None:
    cast.task()
    cast.held()
    queue = api.get("/v1/queue/status").json()
    assert (queue["pending"], queue["running"], queue["total"]) == (1, 1, 2)


def reaper(api: Api) -> dict[str, Any]:
    said: dict[str, Any] = api.get("/v1/opencode/reaper/health").json()
    return said


def test_reaper_that_sweeps_is_healthy(api: Api, cast: Cast) -> None:
    cast.held()
    leases_reap()
    said = reaper(api)
    assert (said["status"], said["healthy"], said["stuck_tasks"]) == ("healthy", True, 0)
    assert 0 <= said["last_sweep_seconds_ago"] < 20


def test_reaper_says_what_its_last_sweep_moved_here(api: Api, cast: Cast) -> None:
    cast.held()
    cast.elsewhere().held()
    expire_leases()
    leases_reap()
    assert reaper(api)["last_sweep_moved"] == {"requeued": 1, "failed": 0, "unheld": 0, "expired": 0}
    leases_reap()
    assert reaper(api)["last_sweep_moved"] == {"requeued": 0, "failed": 0, "unheld": 0, "expired": 0}


def test_reaper_that_never_swept_is_late(api: Api) -> None:
    said = reaper(api)
    assert (said["status"], said["healthy"], said["last_sweep_at"]) == ("late", False, None)


def test_reaper_that_stopped_sweeping_is_late(api: Api) -> None:
    leases_reap()
    LastSweep.objects.update(ended_at=Now() - timedelta(seconds=61))
    said = reaper(api)
    assert (said["status"], said["healthy"]) == ("late", False)
    assert said["last_sweep_seconds_ago"] >= 61


def test_a_persons_own_sweep_does_not_hide_that_the_reaper_is_late(admin: Api) -> None:
    admin.post("/v1/opencode/tasks/stuck/recover")
    assert reaper(admin)["status"] == "late"


def test_reaper_that_leaves_leases_behind_is_noticed(api: Api, cast: Cast) -> None:
    leases_reap()
    cast.held()
    Task.objects.update(lease_expires_at="2020-01-01T00:00Z")
    said = reaper(api)
    assert (said["status"], said["healthy"], said["stuck_tasks"]) == ("stale", False, 1)
