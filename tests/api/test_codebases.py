"""Codebases over REST: registering, listing, changing, removing."""

import pytest

from apps.accounts.permissions import Role
from apps.codebases.models import Codebase
from apps.rest import answers
from apps.tasks.models import Task
from apps.workers.services import Registration, worker_register
from tests.api.conftest import Api
from tests.factories import Cast

PATH = "/v1/opencode/codebases"
SHOP = {"name": "shop", "path": "/code/shop"}


def test_registering_with_a_worker_binds_at_once(api: Api) -> None:
    answer = api.post(PATH, {**SHOP, "worker_id": "w1"}).json()
    answers.CodebaseMade.model_validate(answer)
    assert (answer["codebase"]["worker_id"], answer["codebase"]["status"]) == ("w1", "active")
    assert not Task.objects.exists()


def test_registering_without_a_worker_makes_a_task_that_looks_for_one(api: Api) -> None:
    answer = api.post(PATH, SHOP).json()
    assert answer["codebase"]["status"] == "pending"
    assert "no worker is connected" in answer["message"]
    task = Task.objects.get()
    assert (task.agent_type, task.queue) == ("register_codebase", "__pending__")
    assert task.metadata == {"codebase_id": answer["codebase"]["id"], **SHOP}


def test_message_tells_when_workers_are_asked(api: Api, cast: Cast) -> None:
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="w1"))
    assert "asked" in api.post(PATH, SHOP).json()["message"]


def test_same_path_by_the_same_worker_is_the_same_codebase(api: Api) -> None:
    body = {**SHOP, "worker_id": "w1"}
    first, again = api.post(PATH, body).json(), api.post(PATH, {**body, "path": "/code/shop/", "name": "Shop"}).json()
    assert first["codebase"]["id"] == again["codebase"]["id"]
    assert Codebase.objects.get().name == "Shop"


def test_same_path_on_another_worker_is_another_codebase(api: Api) -> None:
    ids = {api.post(PATH, {**SHOP, "worker_id": name}).json()["codebase"]["id"] for name in ("w1", "w2")}
    assert len(ids) == 2


def test_registering_twice_without_a_worker_asks_once(api: Api) -> None:
    first, again = api.post(PATH, SHOP).json(), api.post(PATH, SHOP).json()
    assert first["task_id"] == again["task_id"]
    assert Codebase.objects.count() == 1


def test_worker_with_the_path_takes_over_the_waiting_codebase_and_the_search_ends(api: Api) -> None:
    waiting = api.post(PATH, SHOP).json()
    found = api.post(PATH, {**SHOP, "worker_id": "w1"}).json()
    assert found["codebase"]["id"] == waiting["codebase"]["id"]
    assert Task.objects.get().state == "cancelled"


def test_worker_confirms_under_the_given_id_and_its_task_goes_on(api: Api, cast: Cast) -> None:
    waiting = api.post(PATH, SHOP).json()["codebase"]
    claim = cast.held(Task.objects.get())
    worker = api.bearing(cast.token(Role.WORKER))
    confirmed = worker.post(PATH, {**SHOP, "worker_id": "w1", "codebase_id": waiting["id"]}).json()
    assert (confirmed["codebase"]["id"], confirmed["codebase"]["status"]) == (waiting["id"], "active")
    assert Task.objects.get(id=claim.task_id).state == "running"


def test_worker_cannot_confirm_one_path_under_two_ids(api: Api, cast: Cast) -> None:
    cast.codebase("shop")
    refused = api.post(PATH, {**SHOP, "worker_id": "w1", "codebase_id": "another"})
    assert (refused.status_code, refused.json()["code"]) == (409, "codebase_exists")
    assert Codebase.objects.count() == 1


def test_client_may_choose_the_id(api: Api) -> None:
    assert api.post(PATH, {**SHOP, "codebase_id": "my-shop"}).json()["codebase"]["id"] == "my-shop"
    assert api.get(f"{PATH}/my-shop").json()["name"] == "shop"


def test_id_of_another_workspace_is_taken_and_stays_theirs(api: Api, cast: Cast) -> None:
    theirs = cast.elsewhere().codebase("vault", id="vault")
    refused = api.post(PATH, {**SHOP, "codebase_id": "vault", "worker_id": "w1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "codebase_id_taken")
    theirs.refresh_from_db()
    assert theirs.name == "vault"


def test_reserved_ids_are_refused(api: Api) -> None:
    assert api.post(PATH, {**SHOP, "codebase_id": "global"}).status_code == 400
    assert not Codebase.objects.exists()


def test_workers_token_cannot_register_for_nobody(api: Api, cast: Cast) -> None:
    refused = api.bearing(cast.token(Role.WORKER)).post(PATH, SHOP)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert not Codebase.objects.exists()


def test_list_is_paged_and_counts_all(api: Api, cast: Cast) -> None:
    for name in ("one", "two", "three"):
        cast.codebase(name)
    page = api.get(f"{PATH}/list", limit=2, offset=1).json()
    answers.CodebasePage.model_validate(page)
    assert [codebase["name"] for codebase in page["codebases"]] == ["two", "one"]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)


def test_list_holds_nothing_of_other_workspaces(api: Api, cast: Cast) -> None:
    cast.elsewhere().codebase()
    assert api.get(PATH).json()["total"] == 0


def test_list_can_be_narrowed(api: Api, cast: Cast) -> None:
    cast.codebase("shop")
    cast.codebase("till", worker_id="w2")
    assert [found["name"] for found in api.get(PATH, worker_id="w2").json()["codebases"]] == ["till"]
    assert [found["name"] for found in api.get(PATH, q="sho").json()["codebases"]] == ["shop"]


def test_limit_over_the_most_is_cut(api: Api) -> None:
    assert api.get(PATH, limit=100000).json()["limit"] == 200


def test_settings_change_one_by_one(api: Api, cast: Cast) -> None:
    shop = cast.codebase(agent_config={"default_model": "a/b", "auto_approve": True})
    changed = api.patch(f"{PATH}/{shop.id}", {"agent_config": {"auto_approve": False}, "description": "tills"}).json()
    assert changed["codebase"]["agent_config"] == {"default_model": "a/b", "auto_approve": False}
    assert changed["codebase"]["description"] == "tills"


def test_limits_and_rules_are_kept_as_they_are_said(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    said = {"allow": ["read", "bash:git *", "edit:docs/**"], "deny": ["*:**/.env"], "max_minutes": 2.5}
    said |= {"max_cost_usd": 1, "max_tokens": 9, "fallback_models": ["a/b"]}
    changed = api.patch(f"{PATH}/{shop.id}", {"agent_config": said}).json()
    assert changed["codebase"]["agent_config"] == said


@pytest.mark.parametrize(
    "config", [{"allow": ["bash:"]}, {"deny": ["git push*"]}, {"allow": [":x"]}, {"max_minutes": -1}, {"allow": "read"}]
)
def test_what_is_no_rule_or_limit_is_refused(api: Api, cast: Cast, config: dict[str, object]) -> None:
    shop = cast.codebase()
    assert api.patch(f"{PATH}/{shop.id}", {"agent_config": config}).status_code in (400, 422)
    shop.refresh_from_db()
    assert shop.agent_config == {}


def test_path_cannot_be_changed(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    assert api.patch(f"{PATH}/{shop.id}", {"name": "new", "path": "/elsewhere"}).status_code == 422
    shop.refresh_from_db()
    assert (shop.name, shop.path) == ("shop", "/code/shop")


def test_id_in_the_body_may_not_contradict_the_address(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    refused = api.post(f"{PATH}/{shop.id}/tasks", {"title": "t", "prompt": "p", "codebase_id": "another"})
    assert (refused.status_code, refused.json()["code"]) == (422, "contradiction")
    assert not Task.objects.exists()


def test_codebase_with_a_running_task_is_not_removed(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    refused = api.delete(f"{PATH}/{shop.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "codebase_busy")
    assert Task.objects.get(id=claim.task_id).state == "running"


def test_forced_removal_cancels_all_its_tasks(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    cast.held(codebase_id=shop.id)
    cast.task(codebase_id=shop.id)
    assert len(api.delete(f"{PATH}/{shop.id}?force=true").json()["cancelled"]) == 2
    assert set(Task.objects.values_list("state", flat=True)) == {"cancelled"}
    assert api.get(f"{PATH}/{shop.id}").status_code == 404
    assert api.get(PATH).json()["total"] == 0


def test_removed_codebase_can_be_registered_again(api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    api.delete(f"{PATH}/{shop.id}")
    assert api.post(PATH, {**SHOP, "worker_id": "w1", "codebase_id": shop.id}).json()["codebase"]["status"] == "active"
    assert api.post(PATH, {**SHOP, "worker_id": "w1"}).json()["codebase"]["id"] == shop.id


def test_both_prefixes_serve_the_same(api: Api, cast: Cast) -> None:
    cast.codebase()
    assert api.get("/v1/agent/codebases").json() == api.get(PATH).json()
