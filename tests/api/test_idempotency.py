"""`Idempotency-Key`: once is once, also at the same time."""

import asyncio

import pytest
from django.utils import timezone

from apps.accounts.models import ApiToken, IdempotentResponse
from apps.accounts.services import IDEMPOTENCY_KEPT, idempotency_purge
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

PATH = "/v1/opencode/tasks"
NEW = {"title": "Once", "prompt": "only once"}
KEY = {"Idempotency-Key": "k1"}


def test_same_key_and_body_give_the_same_answer(api: Api) -> None:
    first, again = api.post(PATH, NEW, headers=KEY), api.post(PATH, dict(reversed(NEW.items())), headers=KEY)
    assert first.content == again.content
    assert Task.objects.count() == 1


def test_same_key_with_another_body_or_address_is_refused(api: Api, cast: Cast) -> None:
    api.post(PATH, NEW, headers=KEY)
    shop = cast.codebase()
    for path, body in ((PATH, {**NEW, "title": "Twice"}), (f"/v1/opencode/codebases/{shop.id}/tasks", NEW)):
        refused = api.post(path, body, headers=KEY)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Task.objects.count() == 1


def test_refused_request_leaves_its_key_free(api: Api) -> None:
    assert api.post(PATH, {**NEW, "priority": 2**31}, headers=KEY).status_code == 400
    assert not IdempotentResponse.objects.exists()
    assert api.post(PATH, NEW, headers=KEY).status_code == 200


def test_keys_of_other_workspaces_do_not_meet(api: Api, cast: Cast) -> None:
    api.post(PATH, NEW, headers=KEY)
    assert api.bearing(cast.elsewhere().token()).post(PATH, {**NEW, "title": "Theirs"}, headers=KEY).status_code == 200
    assert Task.objects.count() == 2


def test_key_is_free_again_after_a_day(api: Api) -> None:
    api.post(PATH, NEW, headers=KEY)
    IdempotentResponse.objects.update(created_at=timezone.now() - IDEMPOTENCY_KEPT)
    assert api.post(PATH, {**NEW, "title": "Tomorrow"}, headers=KEY).status_code == 200
    assert IdempotentResponse.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_keys_have_a_length(api: Api, key: str) -> None:
    assert api.post(PATH, NEW, headers={"Idempotency-Key": key}).status_code == 400
    assert not Task.objects.exists()


def test_secret_is_not_kept_for_a_second_answer(admin: Api) -> None:
    first = admin.post("/v1/users/api-keys", {"name": "n"}, headers=KEY).json()
    again = admin.post("/v1/users/api-keys", {"name": "n"}, headers=KEY).json()
    assert again == {**first, "token": None}
    assert ApiToken.objects.filter(name="n").count() == 1
    assert first["token"] not in IdempotentResponse.objects.get().body


@pytest.mark.django_db(transaction=True)
def test_identical_requests_at_the_same_time_make_one_task(real_api: Api) -> None:
    async def race() -> list[bytes]:
        calls = [real_api.acall("POST", PATH, json=NEW, headers=KEY) for _ in range(8)]
        return [answer.content for answer in await asyncio.gather(*calls)]

    assert len(set(real_api.runner.run(race()))) == 1
    assert Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_different_requests_under_one_key_at_the_same_time_make_one_task(real_api: Api) -> None:
    async def race() -> list[int]:
        bodies = [{**NEW, "title": f"Take {number}"} for number in range(8)]
        calls = [real_api.acall("POST", PATH, json=body, headers=KEY) for body in bodies]
        return sorted([answer.status_code for answer in await asyncio.gather(*calls)])

    assert real_api.runner.run(race()) == [200] + [422] * 7
    assert Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_path_registered_by_many_at_the_same_time_is_one_codebase(real_api: Api) -> None:
    async def race() -> set[str]:
        body = {"name": "shop", "path": "/code/shop", "worker_id": "w1"}
        calls = [real_api.acall("POST", "/v1/opencode/codebases", json=body) for _ in range(8)]
        return {answer.json()["codebase"]["id"] for answer in await asyncio.gather(*calls)}

    assert len(real_api.runner.run(race())) == 1


def test_answers_that_nobody_can_ask_for_are_purged(api: Api) -> None:
    for key in ("old", "new"):
        api.post(PATH, NEW, headers={"Idempotency-Key": key})
    IdempotentResponse.objects.filter(key="old").update(created_at=timezone.now() - IDEMPOTENCY_KEPT)
    assert idempotency_purge() == 1
    assert IdempotentResponse.objects.get().key == "new"
