"""The tools about agents, models, the queue, and the tools themselves."""

from datetime import timedelta

from django.utils import timezone

from apps.accounts.permissions import Role
from apps.federation.models import RemoteAgent
from apps.mcp.tools import TOOLS
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.api.conftest import Api
from tests.api.tools.conftest import Caller
from tests.factories import Cast

MODELS = [{"id": "acme/one", "name": "One", "provider": "acme"}, {"id": "zen/two", "name": "Two", "provider": "zen"}]


def worker(cast: Cast, worker_id: str = "w1", role: str = "reviewer") -> None:
    agents = [{"role": role, "instance": f"{role}:{worker_id}", "description": "Reviews."}]
    said = Registration(worker_id=worker_id, name=worker_id, agents=agents, models=MODELS)
    worker_register(workspace_id=cast.workspace.id, registration=said)


def test_agents_are_discovered_as_by_rest(ada: Caller, api: Api, cast: Cast) -> None:
    worker(cast)
    worker(cast, "w2", "painter")
    assert ada.call("discover_agents")["agents"] == api.get("/v1/agents").json()["agents"]
    assert [one["role"] for one in ada.call("discover_agents", role="painter")["agents"]] == ["painter"]
    first = ada.call("discover_agents", limit=1)
    second = ada.call("discover_agents", limit=1, cursor=first["next_cursor"])
    assert (first["total"], second["next_cursor"]) == (2, None)
    assert first["agents"] != second["agents"]


def test_an_agent_is_shown_by_role_by_its_own_name_and_when_it_is_away(ada: Caller, cast: Cast) -> None:
    worker(cast)
    shown = ada.call("get_agent", agent_name="reviewer")
    assert (shown["connected"], shown["models"], shown["remote"]) == (True, ["acme/one", "zen/two"], None)
    assert shown == ada.call("get_agent", agent_name="reviewer:w1")
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    away = ada.call("get_agent", agent_name="reviewer")
    assert (away["connected"], away["agents"]) == (False, [])


def test_a_remote_agent_is_shown_by_name(ada: Caller, api: Api, cast: Cast) -> None:
    RemoteAgent.objects.create(workspace=cast.workspace, name="cousin", card={"description": "Sings."})
    shown = ada.call("get_agent", agent_name="cousin")
    assert shown["remote"] == api.get("/v1/agents/remote/cousin").json()
    assert (shown["description"], shown["connected"]) == ("Sings.", False)
    assert ada.call("list_remote_agents")["agents"] == [shown["remote"]]


def test_the_card_is_a2as(ada: Caller, cast: Cast) -> None:
    worker(cast)
    assert ada.call("get_agent_card")["url"].endswith("/a2a/jsonrpc")
    assert ada.call("get_agent_card", role="reviewer")["name"] == "reviewer"
    assert ada.refused("get_agent_card", role="nobody")["code"] == "role_not_found"


def test_a_sign_of_life_brings_an_agent_back(boss: Caller, cast: Cast) -> None:
    worker(cast)
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    assert boss.call("discover_agents")["agents"] == []
    assert boss.call("refresh_agent_heartbeat", agent_name="reviewer:w1")["worker_id"] == "w1"
    assert boss.call("discover_agents")["total"] == 1


def test_a_role_of_several_workers_is_no_one_agent(boss: Caller, cast: Cast) -> None:
    worker(cast, "w1")
    worker(cast, "w2")
    told = boss.refused("refresh_agent_heartbeat", agent_name="reviewer")
    assert told["code"] == "agent_ambiguous"
    assert "reviewer:w1, reviewer:w2" in told["detail"]


def test_only_admins_have_a_remote_card_fetched_anew(ada: Caller, cast: Cast) -> None:
    RemoteAgent.objects.create(workspace=cast.workspace, name="cousin", card_url="https://10.1.2.3/card")
    hand = ada.bearing(cast.token(Role.WORKER))
    assert hand.refused("refresh_agent_heartbeat", agent_name="cousin")["code"] == "agent_not_found"
    assert RemoteAgent.objects.get().last_error == ""


def test_models_are_those_of_rest(ada: Caller, api: Api, cast: Cast) -> None:
    worker(cast)
    assert ada.call("list_models")["models"] == api.get("/v1/opencode/models").json()["models"]
    assert [one["id"] for one in ada.call("list_models", provider="zen")["models"]] == ["zen/two"]


def test_the_queue_is_that_of_rest(ada: Caller, api: Api, cast: Cast) -> None:
    cast.task()
    shown, by_rest = ada.call("get_queue_stats"), api.get("/v1/queue/status").json()
    assert shown.pop("oldest_pending_seconds") <= by_rest.pop("oldest_pending_seconds")
    assert shown == by_rest


# The tools themselves ------------------------------------------------------------------------------------------------


def test_a_tool_is_found_by_what_one_wants_to_do(ada: Caller) -> None:
    for query, name in (
        ("cancel a task", "cancel_task"),
        ("list codebases", "list_codebases"),
        ("models", "list_models"),
    ):
        assert ada.call("search_tools", query=query, limit=1)["tools"][0]["name"] == name, query
    assert ada.call("search_tools", query="xyzzy")["tools"] == []


def test_only_ones_own_tools_are_found(ada: Caller, boss: Caller) -> None:
    assert boss.call("search_tools", limit=50)["total"] == len(TOOLS)
    assert ada.call("search_tools", query="register_agent", limit=1)["tools"][0]["name"] != "register_agent"
    assert ada.refused("get_tool_schema", tool_name="register_agent")["code"] == "tool_not_found"


def test_a_schema_is_that_of_the_list(boss: Caller) -> None:
    for tool in TOOLS:
        shown = boss.call("get_tool_schema", tool_name=tool.name)
        assert (shown["input_schema"], shown["output_schema"]) == (tool.sdk.parameters, tool.sdk.output_schema)
        assert shown["description"] == tool.sdk.description
