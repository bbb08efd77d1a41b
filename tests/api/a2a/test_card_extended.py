"""The extended card: what is connected in the caller's workspace, each with the words by which it is asked for."""

from typing import Any

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from django.conf import settings
from django.utils import timezone

from apps.core.db import in_database
from tests.api.a2a.client import Caller
from tests.api.a2a.connected import LARGE, REVIEWER, connect
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

METHODS = ["GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard"]


async def extended(ada: Caller) -> dict[str, Any]:
    return await ada.result("GetExtendedAgentCard", {})


async def skills(ada: Caller) -> dict[str, dict[str, Any]]:
    return {skill["id"]: skill for skill in (await extended(ada))["skills"]}


@pytest.mark.parametrize("method", METHODS)
async def test_it_names_what_is_connected_in_the_callers_workspace(ada: Caller, cast: Cast, method: str) -> None:
    shop = await in_database(cast.codebase, "shop")
    await in_database(connect, cast)
    card = await ada.result(method, {})
    assert [skill["id"] for skill in card["skills"]] == ["delegate", "models", "agent:reviewer", f"codebase:{shop.id}"]
    assert "secret-host" not in str(card)
    assert OldCard.model_validate(card).supports_authenticated_extended_card
    assert parse_agent_card(card).name == settings.A2A_AGENT_NAME


async def test_each_skill_says_how_it_is_asked_for(ada: Caller, cast: Cast) -> None:
    shop = await in_database(lambda: cast.codebase("shop", description="Sells bread"))
    await in_database(connect, cast)
    found = await skills(ada)
    assert "Reviews pull requests" in found["agent:reviewer"]["description"]
    assert "target_agent: reviewer" in found["agent:reviewer"]["description"]
    assert (found[f"codebase:{shop.id}"]["name"], shop.path in str(found)) == ("Work on shop", False)
    assert "Sells bread" in found[f"codebase:{shop.id}"]["description"]
    assert f"codebase_id: {shop.id}" in found[f"codebase:{shop.id}"]["description"]
    assert "acme/large" in found["models"]["description"]
    assert all(skill["examples"] and skill["tags"] for skill in found.values())


async def test_programs_find_the_models_in_the_extension(ada: Caller, cast: Cast) -> None:
    await in_database(connect, cast)
    await in_database(lambda: connect(cast, "w2", offered_models=[LARGE, {**LARGE, "id": "acme/a"}]))
    (ours,) = (await extended(ada))["capabilities"]["extensions"]
    assert ours["params"]["models"] == ["acme/a", "acme/large"]


async def test_nothing_of_another_workspace_is_told(ada: Caller, cast: Cast) -> None:
    other = await in_database(cast.elsewhere)
    await in_database(connect, other)
    await in_database(other.codebase, "theirs")
    assert list(await skills(ada)) == ["delegate"]


async def test_what_is_gone_is_left_out(ada: Caller, cast: Cast) -> None:
    await in_database(cast.codebase, "shop")
    await in_database(lambda: connect(cast, unregistered_at=timezone.now()))
    assert list(await skills(ada)) == ["delegate"]


async def test_codebase_that_a_worker_serves_beside_its_own_is_there(ada: Caller, cast: Cast) -> None:
    shop = await in_database(lambda: cast.codebase("shop", worker_id="gone"))
    await in_database(lambda: connect(cast, agents=[], offered_models=[], codebases=[shop.id]))
    assert list(await skills(ada)) == ["delegate", f"codebase:{shop.id}"]


async def test_order_does_not_depend_on_who_came_first(ada: Caller, cast: Cast) -> None:
    def furnish() -> None:
        for name in ("zoo", "ark"):
            cast.codebase(name, id=f"c-{name}")
        connect(cast, "w2", agents=[{**REVIEWER, "role": "tester"}, {**REVIEWER, "role": "author"}])
        connect(cast, "w1")

    await in_database(furnish)
    assert list(await skills(ada)) == [
        "delegate", "models", "agent:author", "agent:reviewer", "agent:tester", "codebase:c-ark", "codebase:c-zoo",
    ]  # fmt: skip


async def test_role_of_two_workers_is_one_skill(ada: Caller, cast: Cast) -> None:
    await in_database(lambda: connect(cast, "w1", agents=[{**REVIEWER, "description": "", "tags": ["python"]}]))
    await in_database(lambda: connect(cast, "w2", agents=[{**REVIEWER, "tags": ["go", "python"]}]))
    skill = (await skills(ada))["agent:reviewer"]
    assert skill["tags"] == ["agent", "python", "go"]
    assert skill["description"].startswith("Reviews pull requests")


async def test_card_has_room_for_200_skills_and_says_how_many_more_there_are(ada: Caller, cast: Cast) -> None:
    agents = [{**REVIEWER, "role": f"r{number:03}", "description": "x" * 5_000} for number in range(250)]
    await in_database(lambda: connect(cast, agents=agents, offered_models=[]))
    card = await extended(ada)
    assert (len(card["skills"]), card["skills"][-1]["id"]) == (200, "agent:r198")
    assert "(51 more skills have no room on this card.)" in card["description"]
    assert max(len(skill["description"]) for skill in card["skills"]) < 2_200


async def test_role_cannot_take_the_place_of_another_skill(ada: Caller, cast: Cast) -> None:
    await in_database(lambda: connect(cast, agents=[{**REVIEWER, "role": "delegate"}], offered_models=[]))
    assert list(await skills(ada)) == ["delegate", "agent:delegate"]


async def test_it_needs_a_token(ada: Caller) -> None:
    nobody = Caller("")
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetExtendedAgentCard", "params": {}}
    assert (await nobody.post(body)).status_code == 401
    await nobody.http.aclose()
