"""Limits and pauses over REST: who may set them, what they answer, and that the queue obeys."""

from typing import Any, get_args

import pytest

from apps.accounts.permissions import Role
from apps.rest import answers
from apps.rest.bodies import PlaceBody
from apps.tasks.models import QueueLimit, Task
from apps.tasks.services import limit_set, queue_pause
from apps.workers.services import Registration, worker_register
from tests.api.conftest import Api
from tests.factories import Cast

LIMITS, PAUSE, RESUME, STATUS = (f"/v1/queue/{name}" for name in ("limits", "pause", "resume", "status"))
WORKSPACE = {"kind": "workspace"}


@pytest.fixture
def worker(admin: Api) -> None:
    """One that takes tasks of the global queue."""
    said = {"worker_id": "w1", "name": "w1", "global_codebase_id": "global"}
    assert admin.post("/v1/opencode/workers/register", said).status_code == 200


def claim(admin: Api) -> int:
    """How many tasks the worker gets when it asks for as many as there are."""
    return len(admin.post("/v1/worker/tasks/claim", {"worker_id": "w1", "limit": 10}).json()["tasks"])


def test_limit_is_set_listed_and_taken_away(admin: Api, cast: Cast) -> None:
    cast.held()
    made = admin.put(LIMITS, {**WORKSPACE, "most": 3}).json()
    answers.LimitChanged.model_validate(made)
    assert (made["limit"]["most"], made["limit"]["held"], made["limit"]["changed_by"]) == (3, 1, "a admin")
    listed = admin.get(LIMITS).json()
    answers.LimitPage.model_validate(listed)
    assert (listed["total"], listed["limits"]) == (1, [made["limit"]])
    assert admin.put(LIMITS, {**WORKSPACE, "most": None}).json()["limit"] is None
    assert admin.get(LIMITS).json()["limits"] == []


@pytest.mark.usefixtures("worker")
def test_limit_bounds_what_workers_get(admin: Api, cast: Cast) -> None:
    cast.task(), cast.task()
    admin.put(LIMITS, {"kind": "codebase", "key": "global", "most": 1})
    assert claim(admin) == 1
    assert claim(admin) == 0


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    "place", [WORKSPACE, {"kind": "codebase", "key": "global"}, {"kind": "worker", "key": "w1"},
              {"kind": "key", "key": "deploy"}],
)  # fmt: skip
def test_pause_stops_claims_until_it_is_resumed(admin: Api, cast: Cast, place: dict[str, str]) -> None:
    cast.task(concurrency_key="deploy")
    paused = admin.post(PAUSE, {**place, "reason": "a release"}).json()["limit"]
    assert (paused["paused"], paused["reason"], paused["most"]) == (True, "a release", None)
    assert claim(admin) == 0
    assert admin.post(RESUME, place).json()["limit"] is None
    assert claim(admin) == 1


def test_resume_keeps_the_limit(api: Api, admin: Api) -> None:
    admin.put(LIMITS, {**WORKSPACE, "most": 2})
    api.post(PAUSE, WORKSPACE)
    kept = api.post(RESUME, WORKSPACE).json()["limit"]
    assert (kept["paused"], kept["most"]) == (False, 2)


@pytest.mark.parametrize("prefix", ["opencode", "agent"])
def test_codebase_is_paused_at_its_own_address(api: Api, cast: Cast, prefix: str) -> None:
    shop = cast.codebase()
    url = f"/v1/{prefix}/codebases/{shop.id}"
    paused = api.post(f"{url}/pause", {"reason": "moving"}).json()["limit"]
    assert (paused["kind"], paused["key"], paused["paused"]) == ("codebase", shop.id, True)
    assert api.get(f"{url}/status").json()["queue"] == paused
    assert api.post(f"{url}/resume").json()["limit"] is None
    assert api.get(f"{url}/status").json()["queue"] is None


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ({"kind": "planet"}, 400, "invalid"),
        ({"kind": "workspace", "key": "x"}, 400, "invalid"),
        ({"kind": "key"}, 400, "invalid"),
        ({"kind": "key", "key": "x" * 201}, 400, "invalid"),
        ({"kind": "worker"}, 400, "invalid"),
        ({"kind": "codebase", "key": "unknown"}, 404, "codebase_not_found"),
        ({"kind": "worker", "key": "unknown"}, 404, "worker_not_found"),
    ],
)
def test_what_is_no_place_is_refused(admin: Api, place: dict[str, str], status: int, code: str) -> None:
    for answer in (admin.put(LIMITS, {**place, "most": 1}), admin.post(PAUSE, place), admin.post(RESUME, place)):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not QueueLimit.objects.exists()


@pytest.mark.parametrize("most", [{}, {"most": 0}, {"most": -1}, {"most": 100_001}, {"most": "3"}, {"most": True}])
def test_what_is_no_number_is_refused(admin: Api, most: dict[str, Any]) -> None:
    refused = admin.put(LIMITS, {**WORKSPACE, **most})
    assert (refused.status_code, refused.json()["errors"].keys()) == (400, {"most"})
    assert not QueueLimit.objects.exists()


def test_operator_pauses_and_sets_no_limit(api: Api) -> None:
    assert api.put(LIMITS, {**WORKSPACE, "most": 1}).status_code == 403
    assert not QueueLimit.objects.exists()
    assert api.post(PAUSE, WORKSPACE).status_code == 200


def test_viewer_reads_and_pauses_nothing(api: Api, cast: Cast) -> None:
    viewer = api.bearing(cast.token(Role.VIEWER))
    assert viewer.get(LIMITS).status_code == 200
    for path in (PAUSE, RESUME, f"/v1/opencode/codebases/{cast.codebase().id}/pause"):
        assert viewer.post(path, WORKSPACE).status_code == 403
    assert not QueueLimit.objects.exists()


def test_other_workspaces_are_out_of_reach(admin: Api, cast: Cast) -> None:
    theirs = cast.elsewhere()
    far = theirs.codebase("till")
    worker_register(workspace_id=theirs.workspace.id, registration=Registration(worker_id="spy", name="spy"))
    limit_set(workspace_id=theirs.workspace.id, kind="workspace", most=1, by="eve")
    assert admin.get(LIMITS).json()["total"] == 0
    assert admin.post(f"/v1/opencode/codebases/{far.id}/pause").status_code == 404
    for kind, key in (("codebase", far.id), ("worker", "spy")):
        assert admin.put(LIMITS, {"kind": kind, "key": key, "most": 1}).status_code == 404
    assert QueueLimit.objects.get().changed_by == "eve"


def test_queue_status_says_what_bounds_it_and_why_tasks_wait(api: Api, cast: Cast) -> None:
    cast.task()
    queue_pause(workspace_id=cast.workspace.id, kind="workspace", by="ada", reason="a release")
    status = api.get(STATUS).json()
    answers.QueueStatus.model_validate(status)
    assert status["paused"] is True
    assert {code: n for code, n in status["pending_by_reason"].items() if n} == {"paused": 1}
    assert status["limits"] == api.get(LIMITS).json()["limits"]


def test_removed_codebase_takes_its_limit_along(admin: Api, cast: Cast) -> None:
    shop = cast.codebase()
    admin.put(LIMITS, {"kind": "codebase", "key": shop.id, "most": 1})
    cast.held(codebase_id=shop.id)
    assert admin.delete(f"/v1/opencode/codebases/{shop.id}?force=true").status_code == 200
    assert not QueueLimit.objects.exists()


@pytest.mark.parametrize(
    "body", [{"concurrency_key": "deploy"}, {"metadata": {"concurrency_key": "deploy"}},
             {"concurrency_key": "deploy", "metadata": {"concurrency_key": "deploy"}}],
)  # fmt: skip
def test_new_task_names_its_concurrency_key(api: Api, cast: Cast, body: dict[str, Any]) -> None:
    shop = cast.codebase()
    made = api.post("/v1/opencode/tasks", {"title": "t", "prompt": "p", **body}).json()
    assert made["task"]["concurrency_key"] == "deploy"
    api.post(f"/v1/opencode/codebases/{shop.id}/trigger", {"prompt": "p", **body})
    assert set(Task.objects.values_list("concurrency_key", flat=True)) == {"deploy"}


def test_two_concurrency_keys_contradict(api: Api) -> None:
    body = {"title": "t", "prompt": "p", "concurrency_key": "deploy", "metadata": {"concurrency_key": "test"}}
    refused = api.post("/v1/opencode/tasks", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "contradiction")
    assert not Task.objects.exists()


def test_kinds_are_those_of_the_heart() -> None:
    assert list(get_args(PlaceBody.model_fields["kind"].annotation)) == QueueLimit.Kind.values
