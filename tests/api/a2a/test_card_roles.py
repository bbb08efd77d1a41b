"""One address and one card for each role of the workspace's agents."""

import copy
from typing import Any
from urllib.parse import quote

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from django.utils import timezone

from apps.core.db import in_database
from apps.tasks.models import Task
from tests.api.a2a.client import Caller
from tests.api.a2a.connected import REVIEWER, connect
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

REVIEWERS = "/a2a/agents/reviewer"
CARD = "/.well-known/agent-card.json"
STRANGE = ["team/reviewer", "Löwe & Söhne", "a b?c#d%2F", "x/rest"]
SPOILT = [{"tags": "x"}, {"tags": [1]}, {"skills": [{}]}, {"skills": [{"id": "x", "tags": 1}]}]


def message(text: str = "Look at it", **more: Any) -> dict[str, Any]:
    said = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": text}]} | more
    return {"message": said, "configuration": {"returnImmediately": True}}


def rpc(method: str = "SendMessage", **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "r1", "method": method, "params": message(**more) if "Send" in method else {}}


async def targets() -> list[str]:
    return await in_database(lambda: list(Task.objects.values_list("target_agent", flat=True)))


async def test_card_leads_to_that_agent_alone_in_both_versions(ada: Caller, cast: Cast) -> None:
    await in_database(connect, cast)
    card = (await ada.http.get(REVIEWERS + CARD)).json()
    new, old = parse_agent_card(copy.deepcopy(card)), OldCard.model_validate(card)
    assert (new.name, new.description) == (old.name, old.description) == ("reviewer", "Reviews pull requests")
    assert [(one.protocol_binding, one.protocol_version, one.url) for one in new.supported_interfaces] == [
        ("JSONRPC", "1.0", f"http://testserver{REVIEWERS}"), ("JSONRPC", "0.3", f"http://testserver{REVIEWERS}"),
        ("HTTP+JSON", "1.0", f"http://testserver{REVIEWERS}/rest"),
        ("HTTP+JSON", "0.3", f"http://testserver{REVIEWERS}/rest"),
    ]  # fmt: skip
    assert (old.url, old.preferred_transport) == (f"http://testserver{REVIEWERS}", "JSONRPC")
    assert "secret-host" not in str(card)
    (extension,) = new.capabilities.extensions
    assert list(extension.params["models"]) == ["acme/large"]
    assert (await ada.http.get(REVIEWERS)).json()["skills"] == card["skills"]


async def test_card_has_the_skills_that_its_worker_said(ada: Caller, cast: Cast) -> None:
    skills = [
        {"id": "py", "name": "Python", "description": "Reads Python", "tags": ["python"], "examples": ["Look at x.py"]},
        {"id": "go", "name": "Go", "description": "", "tags": [], "examples": []},
    ]
    agent = {**REVIEWER, "tags": ["fast"], "skills": skills}
    body = {"worker_id": "w1", "name": "w1", "agents": [agent]}
    headers = {"authorization": f"Bearer {await in_database(cast.token, 'worker')}"}
    assert (await ada.post(body, headers, "/v1/opencode/workers/register")).status_code == 200
    card = (await ada.http.get(REVIEWERS + CARD)).json()
    assert [(one["id"], one["description"], one["tags"]) for one in card["skills"]] == [
        ("py", "Reads Python", ["python"]), ("go", "Go", ["agent"]),
    ]  # fmt: skip
    listed = {skill["id"]: skill for skill in (await ada.result("GetExtendedAgentCard", {}))["skills"]}
    assert (listed["agent:reviewer"]["tags"], listed["agent:reviewer"]["examples"]) == (
        ["agent", "fast", "python"], ["Look at x.py"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "spoilt", [{"tags": "x"}, {"tags": [1]}, {"skills": [{}]}, {"skills": [{"id": "x", "tags": 1}]}]
)
async def test_skills_of_the_wrong_form_register_nothing(ada: Caller, cast: Cast, spoilt: dict[str, Any]) -> None:
    body = {"worker_id": "w1", "name": "w1", "agents": [REVIEWER | spoilt]}
    headers = {"authorization": f"Bearer {await in_database(cast.token, 'worker')}"}
    assert (await ada.post(body, headers, "/v1/opencode/workers/register")).json()["code"] == "invalid"
    assert (await ada.http.get(REVIEWERS + CARD)).status_code == 404


async def test_card_may_be_kept_by_the_caller_alone(ada: Caller, cast: Cast) -> None:
    await in_database(connect, cast)
    first = await ada.http.get(REVIEWERS + CARD)
    assert (first.headers["cache-control"], first.headers["vary"]) == ("private, no-cache", "Authorization, Cookie")
    assert "access-control-allow-origin" not in first.headers
    again = await ada.http.get(REVIEWERS + CARD, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await in_database(lambda: connect(cast, "a0", agents=[{**REVIEWER, "description": "Reviews all"}]))
    changed = await ada.http.get(REVIEWERS + CARD, headers={"if-none-match": first.headers["etag"]})
    assert (changed.status_code, changed.json()["description"]) == (200, "Reviews all")


async def test_role_that_is_away_keeps_its_card_and_its_address(ada: Caller, cast: Cast) -> None:
    await in_database(lambda: connect(cast, unregistered_at=timezone.now()))
    assert "not connected now" in (await ada.http.get(REVIEWERS + CARD)).json()["description"]
    assert (await ada.http.get("/v1/agents")).json()["agents"] == []
    answer = (await ada.post(rpc(), path=REVIEWERS)).json()
    assert answer["result"]["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"


async def test_list_of_agents_names_the_cards(ada: Caller, cast: Cast) -> None:
    await in_database(lambda: connect(cast, agents=[{**REVIEWER, "role": "team/reviewer"}]))
    (agent,) = (await ada.http.get("/v1/agents")).json()["agents"]
    assert agent["card"] == f"/a2a/agents/team%2Freviewer{CARD}"
    assert (await ada.http.get(agent["card"])).json()["name"] == "team/reviewer"


@pytest.mark.parametrize("method", ["SendMessage", "message/send"])
async def test_message_is_for_the_agent_whose_address_it_came_to(ada: Caller, cast: Cast, method: str) -> None:
    await in_database(connect, cast)
    params = {"message": {"messageId": "m1", "parts": [{"text": "hi"}]}, "configuration": {"blocking": False}}
    answer = await ada.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, path=REVIEWERS)
    assert "result" in answer.json()
    assert await targets() == ["reviewer"]


@pytest.mark.parametrize("path", ["/rest/message:send", "/rest/v1/message:send"])
async def test_so_is_one_by_rest(ada: Caller, cast: Cast, path: str) -> None:
    await in_database(connect, cast)
    answer = await ada.post(message(), path=REVIEWERS + path)
    assert answer.status_code == 200, answer.text
    assert await targets() == ["reviewer"]


@pytest.mark.parametrize("role", STRANGE)
async def test_role_may_be_called_anything(ada: Caller, cast: Cast, role: str) -> None:
    await in_database(lambda: connect(cast, agents=[{**REVIEWER, "role": role}]))
    card = (await ada.http.get(f"/a2a/agents/{quote(role, safe='')}{CARD}")).json()
    assert card["name"] == role
    url = card["url"].removeprefix("http://testserver")
    assert "result" in (await ada.post(rpc(), path=url)).json()
    assert (await ada.post(message(messageId="m2"), path=f"{url}/rest/message:send")).status_code == 200
    assert await targets() == [role, role]


@pytest.mark.parametrize("target", ["tester", "reviewer"])
async def test_message_may_not_name_another_agent_than_its_address(ada: Caller, cast: Cast, target: str) -> None:
    await in_database(lambda: connect(cast, agents=[REVIEWER, {**REVIEWER, "role": "tester"}]))
    answer = (await ada.post(rpc(metadata={"target_agent": target}), path=REVIEWERS)).json()
    if target == "reviewer":
        assert await targets() == ["reviewer"]
    else:
        assert answer["error"]["code"] == -32602
        assert await targets() == []


@pytest.mark.parametrize("path", ["", "/rest/message:send"])
async def test_role_that_nobody_had_has_no_address(ada: Caller, cast: Cast, path: str) -> None:
    await in_database(connect, await in_database(cast.elsewhere))
    answer = await ada.post(message() if path else rpc(), path=REVIEWERS + path)
    assert (answer.status_code, answer.json()["code"]) == (404, "role_not_found")
    assert await targets() == []
    assert (await ada.http.get(REVIEWERS + CARD)).json()["code"] == "role_not_found"


async def test_roles_own_extended_card_is_its_card(ada: Caller, cast: Cast) -> None:
    await in_database(connect, cast)
    await in_database(cast.codebase, "shop")
    card = (await ada.http.get(REVIEWERS + CARD)).json()
    asked = (await ada.post(rpc("GetExtendedAgentCard"), path=REVIEWERS)).json()["result"]
    assert {**asked, "signatures": []} == {**card, "signatures": []}


@pytest.mark.parametrize("path", ["", CARD, "/rest/tasks/x"])
async def test_nobody_reads_it_without_a_token(ada: Caller, cast: Cast, path: str) -> None:
    await in_database(connect, cast)
    nobody = Caller("")
    assert (await nobody.http.get(REVIEWERS + path)).status_code == 401
    assert (await nobody.post(rpc(), path=REVIEWERS)).status_code == 401
    assert await targets() == []
    await nobody.http.aclose()
