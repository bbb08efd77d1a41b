"""The agent's card: for both versions' clients, with caching headers, and without anybody's data."""

import copy

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from django.conf import settings

from apps.core.db import in_database
from apps.workers.models import Worker
from tests.api.a2a.client import Caller
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

CARD = "/.well-known/agent-card.json"


def worker(cast: Cast) -> Worker:
    agents = [{"role": "reviewer", "instance": "reviewer:secret-host:1", "description": "Reviews pull requests"}]
    return Worker.objects.create(workspace=cast.workspace, worker_id="w1", name="w1", agents=agents)


async def test_card_is_valid_in_both_versions(ada: Caller) -> None:
    card = (await ada.http.get(CARD)).json()
    new = parse_agent_card(copy.deepcopy(card))  # it takes the old fields out
    bindings = [(one.protocol_binding, one.protocol_version, one.url) for one in new.supported_interfaces]
    assert bindings == [
        ("JSONRPC", "1.0", "http://testserver/a2a/jsonrpc"), ("JSONRPC", "0.3", "http://testserver/a2a/jsonrpc"),
        ("HTTP+JSON", "1.0", "http://testserver/a2a/rest"), ("HTTP+JSON", "0.3", "http://testserver/a2a/rest"),
        ("GRPC", "1.0", "testserver:50051"), ("GRPC", "0.3", "testserver:50051"),
    ]  # fmt: skip
    old = OldCard.model_validate(card)
    assert (old.url, old.preferred_transport) == ("http://testserver/a2a/jsonrpc", "JSONRPC")
    assert (old.protocol_version or "").startswith("0.3")
    assert (old.capabilities.streaming, old.capabilities.push_notifications) == (True, False)
    assert old.security == [{"bearer": []}]
    assert [skill.id for skill in old.skills] == ["delegate"]


@pytest.mark.parametrize("path", ["/.well-known/agent.json", "/a2a/jsonrpc", "/v1/a2a"])
async def test_card_stands_at_its_other_addresses(ada: Caller, path: str) -> None:
    assert (await ada.http.get(path)).json() == (await ada.http.get(CARD)).json()


async def test_card_needs_no_token(ada: Caller) -> None:
    nobody = Caller("")
    assert (await nobody.http.get(CARD)).status_code == 200
    await nobody.http.aclose()


async def test_card_may_be_cached_and_asked_for_again(ada: Caller) -> None:
    first = await ada.http.get(CARD)
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert first.headers["last-modified"].endswith("GMT")
    again = await ada.http.get(CARD, headers={"if-none-match": f"W/{first.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")
    assert (await ada.http.get(CARD, headers={"if-none-match": '"other"'})).status_code == 200


async def test_addresses_are_those_that_the_client_asked(ada: Caller) -> None:
    card = (await ada.http.get(CARD, headers={"host": "agents.example:8443"})).json()
    assert card["url"] == "http://agents.example:8443/a2a/jsonrpc"


async def test_set_address_wins_and_a_strange_host_is_refused(ada: Caller, settings) -> None:
    settings.ALLOWED_HOSTS = ["agents.example"]
    assert (await ada.http.get(CARD, headers={"host": "evil.example"})).json()["code"] == "bad_host"
    settings.A2A_AGENT_URL_IS_GIVEN, settings.A2A_AGENT_URL = True, "https://given.example"
    card = (await ada.http.get(CARD, headers={"host": "agents.example"})).json()
    assert card["url"] == "https://given.example/a2a/jsonrpc"


async def test_trusted_proxys_scheme_is_used(ada: Caller, settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    card = (await ada.http.get(CARD, headers={"x-forwarded-proto": "https"})).json()
    assert card["url"] == "https://testserver/a2a/jsonrpc"


async def test_public_card_tells_nothing_of_a_workspace(ada: Caller, cast: Cast) -> None:
    await in_database(worker, cast)
    assert "reviewer" not in (await ada.http.get(CARD)).text


@pytest.mark.parametrize("method", ["GetExtendedAgentCard", "agent/getAuthenticatedExtendedCard"])
async def test_extended_card_names_the_agents_of_the_callers_workspace(ada: Caller, cast: Cast, method: str) -> None:
    await in_database(worker, cast)
    await in_database(worker, await in_database(cast.elsewhere))
    card = await ada.result(method, {})
    assert [skill["id"] for skill in card["skills"]] == ["delegate", "reviewer"]
    assert "secret-host" not in str(card)
    assert parse_agent_card(card).name == settings.A2A_AGENT_NAME


async def test_extended_card_needs_a_token(ada: Caller) -> None:
    nobody = Caller("")
    body = {"jsonrpc": "2.0", "id": 1, "method": "GetExtendedAgentCard", "params": {}}
    assert (await nobody.post(body)).status_code == 401
    await nobody.http.aclose()
