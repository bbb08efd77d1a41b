"""A worker's id is the token's that registered it: another worker's token neither takes it nor acts by it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role
from apps.accounts.tokens import token_rotate
from apps.codebases.models import Codebase
from apps.tasks.models import Task
from apps.workers import owning
from apps.workers.models import Worker
from tests.api.conftest import Api
from tests.factories import Cast

REGISTER = "/v1/opencode/workers/register"
HERS = {"worker_id": "hers", "name": "hers", "global_codebase_id": "global"}


@pytest.fixture
def hers(api: Api, cast: Cast) -> Api:
    """The client of the worker that is registered."""
    worker = api.bearing(cast.token(Role.WORKER))
    assert worker.post(REGISTER, HERS).status_code == 200
    return worker


@pytest.fixture
def other(api: Api, cast: Cast, hers: Api) -> Api:
    """Another worker's token."""
    return api.bearing(cast.token(Role.WORKER))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def registers(client: Api) -> int:
    return client.post(REGISTER, HERS | {"name": "taken"}).status_code


DEEDS = [
    ("POST", REGISTER, HERS | {"name": "taken"}),
    ("POST", "/v1/worker/tasks/claim", {"worker_id": "hers"}),
    ("PUT", "/v1/worker/codebases", {"worker_id": "hers", "codebases": ["bank"]}),
    ("PUT", "/v1/worker/working-trees", {"worker_id": "hers", "trees": []}),
    ("POST", "/v1/opencode/workers/hers/heartbeat", {"claims": []}),
    ("POST", "/v1/opencode/workers/hers/unregister", {}),
    ("POST", "/v1/opencode/codebases", {"name": "n", "path": "/code/n", "worker_id": "hers"}),
    ("GET", "/v1/worker/tasks/stream?worker_id=hers", None),
]


@pytest.mark.parametrize(("method", "path", "body"), DEEDS, ids=[f"{method} {path}" for method, path, _ in DEEDS])
def test_another_token_does_nothing_by_it(cast: Cast, other: Api, method: str, path: str, body: Any) -> None:
    task, before = cast.task(), Worker.objects.values().get()
    assert code(other.call(method, path, json=body)) == (403, "worker_forbidden")
    assert Worker.objects.values().get() == before
    assert (Task.objects.get(pk=task.pk).state, Codebase.objects.count()) == ("pending", 0)


def test_what_it_holds_is_not_finished_without_the_claims_token(cast: Cast, hers: Api, other: Api) -> None:
    task = cast.task()
    assert hers.post("/v1/worker/tasks/claim", {"worker_id": "hers"}).json()["task"]["id"] == str(task.id)
    said = {"task_id": str(task.id), "worker_id": "hers", "status": "completed"}
    assert code(other.post("/v1/worker/tasks/release", said)) == (403, "worker_forbidden")
    assert Task.objects.get().state == "running"


def test_its_own_token_goes_on_also_rotated(cast: Cast, hers: Api) -> None:
    _, secret = token_rotate(token=ApiToken.objects.latest("created_at"))
    rotated = hers.bearing(secret)
    assert registers(rotated) == 200
    assert rotated.post("/v1/opencode/workers/hers/heartbeat", {"claims": []}).status_code == 200


@pytest.mark.parametrize("ending", ["revoked", "expired", "left", "silent"])
def test_another_token_takes_the_place_of_a_worker_that_is_gone_or_whose_token_ended(
    hers: Api, other: Api, ending: str
) -> None:
    past = timezone.now() - timedelta(days=1)
    owner = ApiToken.objects.filter(pk=Worker.objects.get().token_id)
    match ending:
        case "revoked":
            owner.update(revoked_at=past)
        case "expired":
            owner.update(expires_at=past)
        case "left":
            assert hers.post("/v1/opencode/workers/hers/unregister").status_code == 200
        case _:
            Worker.objects.update(last_seen_at=past)
    assert registers(other) == 200
    assert other.post("/v1/worker/tasks/claim", {"worker_id": "hers"}).status_code == 200
    owning._known.clear()  # what is remembered ends within seconds
    assert hers.post("/v1/worker/tasks/claim", {"worker_id": "hers"}).status_code in (401, 403)


def test_admins_and_the_same_persons_tokens_may(api: Api, cast: Cast) -> None:
    ada = cast.user("ada", Role.ADMIN)
    first, second = (api.bearing(cast.token(Role.WORKER, user=ada)) for _ in range(2))
    assert (registers(first), registers(second)) == (200, 200)
    assert registers(api.bearing(cast.token(Role.ADMIN))) == 200


def test_what_registered_before_this_was_kept_is_nobodys(hers: Api, other: Api) -> None:
    Worker.objects.update(token=None)
    assert other.post("/v1/opencode/workers/hers/heartbeat", {"claims": []}).status_code == 200
    assert registers(other) == 200
    assert Worker.objects.get().token is not None
