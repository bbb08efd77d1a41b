"""The tools about codebases, and the active one of each caller."""

import pytest

from apps.accounts.permissions import Role
from apps.codebases.models import ActiveCodebase
from apps.core.tenancy import acting, of_workspaces
from apps.federation.models import RemoteAgent
from tests.api.conftest import Api
from tests.api.tools.conftest import Caller
from tests.factories import Cast


def test_a_codebase_is_registered_as_by_rest(ada: Caller, api: Api) -> None:
    made = ada.call("create_codebase", name="shop", path="/code/shop", worker_id="w1", description="Sells.")
    again = api.post("/v1/opencode/codebases", {"name": "shop", "path": "/code/shop", "worker_id": "w1"}).json()
    assert again["codebase"]["id"] == made["codebase"]["id"]
    assert ada.call("get_codebase", codebase_id=made["codebase"]["id"])["description"] == "Sells."
    assert made["message"] == again["message"]


def test_without_a_worker_a_task_looks_for_one(ada: Caller) -> None:
    made = ada.call("create_codebase", name="shop", path="/code/shop", idempotency_key="k")
    assert made == ada.call("create_codebase", name="shop", path="/code/shop", idempotency_key="k")
    assert ada.call("get_task", task_id=made["task_id"])["agent_type"] == "register_codebase"
    assert made["codebase"]["status"] == "pending"


def test_codebases_are_listed_page_by_page(ada: Caller, cast: Cast) -> None:
    made = [cast.codebase(f"shop-{number}").id for number in range(3)]
    first = ada.call("list_codebases", limit=2)
    second = ada.call("list_codebases", limit=2, cursor=first["next_cursor"])
    assert [one["id"] for page in (first, second) for one in page["codebases"]] == made[::-1]
    assert second["next_cursor"] is None
    assert [one["name"] for one in ada.call("list_codebases", q="shop-1")["codebases"]] == ["shop-1"]
    assert ada.call("list_codebases", status="pending")["total"] == 0


def test_a_codebase_in_which_a_task_runs_is_kept(ada: Caller, cast: Cast) -> None:
    shop = cast.codebase()
    claim = cast.held(codebase_id=shop.id)
    assert ada.refused("delete_codebase", codebase_id=shop.id)["code"] == "codebase_busy"
    assert ada.call("get_task", task_id=str(claim.task_id))["status"] == "running"
    assert ada.call("delete_codebase", codebase_id=shop.id, force=True)["cancelled"] == [str(claim.task_id)]
    assert ada.refused("get_codebase", codebase_id=shop.id)["code"] == "codebase_not_found"


# The active one ------------------------------------------------------------------------------------------------------


def codebase_of(caller: Caller, tool: str = "create_task", **arguments: str) -> str:
    said = {"title": "Mend"} if tool == "create_task" else {"message": "Mend"}
    made = caller.call(tool, **(said | arguments))
    found: str = caller.call("get_task", task_id=made["task_id"])["codebase_id"]
    return found


def test_tasks_go_to_the_active_codebase_until_another_is_chosen(ada: Caller, cast: Cast) -> None:
    shop, house = cast.codebase("shop"), cast.codebase("house")
    assert codebase_of(ada) == "global"
    assert ada.call("set_active_codebase", codebase_id=shop.id)["codebase"]["id"] == shop.id
    assert codebase_of(ada) == codebase_of(ada, "send_message_async") == shop.id
    assert codebase_of(ada, codebase_id=house.id) == house.id
    assert codebase_of(ada, codebase_id="global") == "global"
    ada.call("set_active_codebase", codebase_id=house.id)
    assert codebase_of(ada) == house.id
    assert ada.call("set_active_codebase", codebase_id="global")["codebase"] is None
    assert codebase_of(ada) == "global"


def test_a_conversation_stays_where_it_is(ada: Caller, cast: Cast) -> None:
    shop, house = cast.codebase("shop"), cast.codebase("house")
    begun = ada.call("send_message_async", message="Mend", codebase_id=house.id)
    ada.call("set_active_codebase", codebase_id=shop.id)
    went_on = ada.call("send_message_async", message="More", conversation_id=begun["conversation_id"])
    task = ada.call("get_task", task_id=went_on["task_id"])
    assert task["codebase_id"] == house.id
    assert codebase_of(ada, "send_message_async", conversation_id="my-own") == shop.id


def test_the_active_codebase_is_the_callers_own(ada: Caller, cast: Cast) -> None:
    shop = cast.codebase()
    ada.call("set_active_codebase", codebase_id=shop.id)
    for other in (cast.token(Role.OPERATOR), cast.elsewhere().token(Role.ADMIN)):
        assert ada.bearing(other).call("get_active_codebase")["codebase"] is None
    theirs = ada.bearing(cast.elsewhere().token(Role.ADMIN))
    assert theirs.refused("set_active_codebase", codebase_id=shop.id)["code"] == "codebase_not_found"
    with acting(of_workspaces(theirs.principal.workspace_id)):
        assert not ActiveCodebase.objects.exists()


def test_a_removed_codebase_is_nobodys_active_one_even_when_it_comes_back(ada: Caller, api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    ada.call("set_active_codebase", codebase_id=shop.id)
    api.delete(f"/v1/opencode/codebases/{shop.id}")
    assert ada.call("get_active_codebase")["codebase"] is None
    assert not ActiveCodebase.objects.exists()
    api.post("/v1/opencode/codebases", {"name": "shop", "path": "/x", "worker_id": "w1", "codebase_id": shop.id})
    assert ada.call("get_current_codebase")["codebase_id"] == "global"
    assert codebase_of(ada) == "global"


def test_what_goes_on_in_the_current_codebase(ada: Caller, api: Api, cast: Cast) -> None:
    shop = cast.codebase()
    ada.call("set_active_codebase", codebase_id=shop.id)
    claim = cast.held(codebase_id=shop.id)
    shown = ada.call("get_current_codebase")
    assert shown["activity"] == api.get(f"/v1/opencode/codebases/{shop.id}/status").json()
    assert (shown["codebase_id"], shown["activity"]["current_task"]["id"]) == (shop.id, str(claim.task_id))


@pytest.mark.parametrize(("agent", "goes_to"), [("cousin", "global"), ("reviewer", "shop")])
def test_what_is_for_a_remote_agent_goes_to_no_codebase_of_ours(
    ada: Caller, cast: Cast, agent: str, goes_to: str
) -> None:
    cast.codebase("shop", id="shop")
    ada.call("set_active_codebase", codebase_id="shop")
    RemoteAgent.objects.create(workspace=cast.workspace, name="cousin")
    assert codebase_of(ada, target_agent=agent) == goes_to
    sent = ada.call("send_to_agent", agent_name=agent, message="Look.")
    assert ada.call("get_task", task_id=sent["task_id"])["codebase_id"] == "global"
