"""A worker's token that names codebases: its worker serves these and no others."""

from typing import Any

import pytest
from starlette.requests import Request

from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, authenticate
from apps.codebases.models import Codebase
from apps.files.models import StoredFile
from apps.sessions.models import AgentSession
from apps.tasks.models import Task, TaskEvent
from apps.workers.models import Worker
from apps.workers.selectors import claimer_get
from apps.workers.services import Registration, worker_register
from apps.workers.stream import _listener
from tests.api.conftest import Api
from tests.factories import Cast

REGISTER = "/v1/opencode/workers/register"
CLAIM = "/v1/worker/tasks/claim"


@pytest.fixture
def shop(cast: Cast) -> Codebase:
    """The codebase that the token names; no worker has it yet."""
    return cast.codebase("shop", worker_id="", status=Codebase.Status.PENDING)


@pytest.fixture
def bank(cast: Cast) -> Codebase:
    """One that the token does not name."""
    return cast.codebase("bank", worker_id="w1")


@pytest.fixture
def bound(api: Api, cast: Cast, shop: Codebase) -> Api:
    """A worker's client that may serve the shop alone, and is registered as w9."""
    worker = api.bearing(cast.token(Role.WORKER, codebases=[shop.id]))
    said = {"worker_id": "w9", "name": "w9", "codebases": [shop.id, "bank"], "global_codebase_id": "global"}
    assert worker.post(REGISTER, said).status_code == 200
    return worker


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_registration_is_narrowed(cast: Cast, bound: Api, shop: Codebase) -> None:
    worker = Worker.objects.get()
    assert (worker.codebases, worker.global_codebase_id, worker.serves) == ([shop.id], "", [shop.id])
    claimer = claimer_get(workspace_id=cast.workspace.id, worker_id="w9").claimer
    assert claimer.queues == [shop.id]


def test_it_claims_its_own_codebases_tasks_alone(cast: Cast, bound: Api, shop: Codebase, bank: Codebase) -> None:
    for place in ("global", bank.id, shop.id):
        cast.task(codebase_id=place)
    claimed = bound.post(CLAIM, {"worker_id": "w9", "limit": 9}).json()["tasks"]
    assert [task["codebase_id"] for task in claimed] == [shop.id]
    left = Task.objects.exclude(queue=shop.id)
    assert {bound.post(f"/v1/tasks/{task.id}/claim", {"worker_id": "w9"}).status_code for task in left} == {409}
    assert {task.state for task in left.all()} == {"pending"}


def test_global_and_searches_are_served_where_they_are_named(api: Api, cast: Cast) -> None:
    worker = api.bearing(cast.token(Role.WORKER, codebases=["global", "__pending__"]))
    worker.post(REGISTER, {"worker_id": "w8", "name": "w8", "global_codebase_id": "global"})
    assert claimer_get(workspace_id=cast.workspace.id, worker_id="w8")[0].queues == ["global", "__pending__"]


def test_codebase_that_is_set_later_is_narrowed_too(bound: Api, shop: Codebase, bank: Codebase) -> None:
    answer = bound.put("/v1/worker/codebases", {"worker_id": "w9", "codebases": [bank.id, shop.id]})
    assert answer.json()["codebases"] == [shop.id]
    assert Worker.objects.get().codebases == [shop.id]


def test_it_confirms_the_path_of_its_codebase_and_registers_no_other(
    bound: Api, shop: Codebase, bank: Codebase
) -> None:
    known = bound.post("/v1/opencode/codebases", {"name": "shop", "path": shop.path, "worker_id": "w9"})
    assert known.json()["codebase"]["id"] == shop.id
    for said in ({"path": "/code/new"}, {"path": bank.path, "codebase_id": bank.id}):
        refused = bound.post("/v1/opencode/codebases", {"name": "n", "worker_id": "w9", **said})
        assert code(refused) == (403, "codebase_forbidden")
    assert set(Codebase.objects.values_list("id", "worker_id")) == {(shop.id, "w9"), (bank.id, "w1")}


def test_it_does_not_act_for_a_worker_that_serves_others(cast: Cast, bound: Api, bank: Codebase) -> None:
    said = Registration(worker_id="w1", name="w1")
    worker_register(workspace_id=cast.workspace.id, registration=said)
    calls = [
        bound.post(REGISTER, {"worker_id": "w1", "name": "mine now"}),
        bound.post(CLAIM, {"worker_id": "w1"}),
        bound.post("/v1/opencode/workers/w1/heartbeat", {}),
        bound.post("/v1/opencode/workers/w1/unregister"),
        bound.put("/v1/worker/codebases", {"worker_id": "w1", "codebases": []}),
        bound.call("GET", "/v1/worker/tasks/stream?worker_id=w1"),
    ]
    assert {code(answer) for answer in calls} == {(403, "worker_forbidden")}
    worker = Worker.objects.get(worker_id="w1")
    assert (worker.name, worker.unregistered_at, worker.serves) == ("w1", None, None)


def test_it_may_take_the_id_of_a_worker_that_has_gone(cast: Cast, bound: Api) -> None:
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="w1"))
    Worker.objects.filter(worker_id="w1").update(unregistered_at="2026-01-01T00:00Z")
    assert bound.post(REGISTER, {"worker_id": "w1", "name": "w1"}).status_code == 200


def test_even_a_true_claim_of_another_codebases_task_is_no_use_to_it(cast: Cast, bound: Api, bank: Codebase) -> None:
    claim = cast.held(codebase_id=bank.id)
    file = cast.file(task_id=claim.task_id)
    told, shown = TaskEvent.objects.count(), {"claim_token": str(claim.token), "worker_id": "w9"}
    task, rest = f"/v1/worker/tasks/{claim.task_id}", f"/v1/opencode/tasks/{claim.task_id}"
    headers = {"X-Claim-Token": str(claim.token)}
    calls = [
        bound.post(f"{task}/events", {**shown, "events": [{"kind": "status", "data": {"message": "m"}}]}),
        bound.post("/v1/worker/tasks/release", {**shown, "task_id": str(claim.task_id), "status": "completed"}),
        bound.call("POST", f"{task}/files?name=x", content=b"x", headers=headers),
        bound.post("/v1/opencode/workers/w9/heartbeat", {"claims": [{**shown, "task_id": str(claim.task_id)}]}),
        bound.get(f"/v1/worker/files/{file.id}"),
        bound.post(f"{rest}/output", {**shown, "output": "o"}),
        bound.put(f"{rest}/status", {**shown, "status": "completed"}),
    ]
    assert {code(answer) for answer in calls} == {(403, "codebase_forbidden")}
    assert TaskEvent.objects.count() == told
    assert StoredFile.objects.count() == 1


def test_it_does_its_own_tasks_work(cast: Cast, bound: Api, shop: Codebase) -> None:
    cast.task(codebase_id=shop.id)
    task = bound.post(CLAIM, {"worker_id": "w9"}).json()["task"]
    shown = {"claim_token": task["claim_token"], "worker_id": "w9", "task_id": task["id"]}
    assert bound.post("/v1/opencode/workers/w9/heartbeat", {"claims": [shown]}).json()["leases"]
    assert bound.post("/v1/worker/tasks/release", {**shown, "status": "completed"}).json()["status"] == "completed"


def test_it_tells_of_its_codebases_working_trees_alone(cast: Cast, bound: Api, bank: Codebase) -> None:
    claim = cast.held(codebase_id=bank.id)
    tree = {"id": "t1", "state": "active", "branch": "b", "base": "a1", "head": "a2"}
    for told in ({"codebase_id": bank.id}, {"task_ids": [str(claim.task_id)]}):
        refused = bound.put("/v1/worker/working-trees", {"worker_id": "w9", "trees": [tree | told]})
        assert code(refused) == (403, "codebase_forbidden")
    refused = bound.put("/v1/worker/working-trees", {"worker_id": "w1", "trees": []})
    assert refused.status_code in (403, 404)


def test_it_syncs_sessions_of_its_codebases_alone(bound: Api, shop: Codebase, bank: Codebase) -> None:
    said = {"worker_id": "w9", "source": "opencode", "sessions": [{"id": "ses_1", "title": "Till"}]}
    assert bound.post(f"/v1/opencode/codebases/{shop.id}/sessions/sync", said).json()["synced"] == 1
    ingest = {"worker_id": "w9", "source": "opencode", "session": {}, "messages": []}
    calls = [
        bound.post(f"/v1/opencode/codebases/{bank.id}/sessions/sync", said),
        bound.post(f"/v1/opencode/codebases/{bank.id}/sessions/ses_1/ingest", ingest),
        bound.post(
            f"/v1/opencode/codebases/{bank.id}/sessions/ses_1/messages/sync", {"worker_id": "w9", "messages": []}
        ),
    ]
    assert {code(answer) for answer in calls} == {(403, "codebase_forbidden")}
    assert set(AgentSession.objects.values_list("codebase_id", flat=True)) == {shop.id}


def test_stream_asks_for_its_codebases_alone(bound: Api, shop: Codebase, bank: Codebase) -> None:
    headers = [(b"x-worker-id", b"w9"), (b"x-codebases", f"{shop.id},{bank.id},global".encode())]
    request = Request({"type": "http", "headers": headers, "query_string": b""})
    listener = _listener(request, authenticate(Credentials(f"Bearer {bound.token}")))
    assert listener.claimer().queues == [shop.id]


@pytest.mark.parametrize("codebases", [True, False])
def test_worker_does_not_say_what_agents_may_do(api: Api, cast: Cast, shop: Codebase, codebases: bool) -> None:
    Codebase.objects.filter(pk=shop.pk).update(agent_config={"auto_approve": False, "deny": ["Bash"]})
    worker = api.bearing(cast.token(Role.WORKER, codebases=[shop.id] if codebases else []))
    said = {"name": "shop", "path": shop.path, "worker_id": "w9", "codebase_id": shop.id}
    refused = worker.post("/v1/opencode/codebases", said | {"agent_config": {"auto_approve": True, "deny": []}})
    assert refused.status_code == 403
    shop.refresh_from_db()
    assert (shop.worker_id, shop.agent_config) == ("", {"auto_approve": False, "deny": ["Bash"]})
    assert worker.post("/v1/opencode/codebases", said).status_code == 200
