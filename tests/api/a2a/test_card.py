"""The public card: for both versions' clients, with caching headers, and without anybody's data."""

import copy
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from django.conf import settings

from apps.accounts.oidc.config import oidc_settings
from apps.core.addresses import allow_list
from apps.core.db import in_database
from apps.core.extension import EXTENSION
from codetether import env
from tests.api.a2a.client import Caller
from tests.api.a2a.connected import connect
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

CARD = "/.well-known/agent-card.json"


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
    assert [(one.transport, one.url) for one in old.additional_interfaces or ()] == [
        (binding, url) for binding, version, url in bindings if version == "0.3"
    ]
    assert (old.protocol_version, old.supports_authenticated_extended_card) == ("0.3.0", True)
    assert [skill.id for skill in old.skills] == ["delegate"]


async def test_card_tells_what_the_server_can_do_in_both_versions(ada: Caller) -> None:
    card = (await ada.http.get(CARD)).json()
    new = parse_agent_card(copy.deepcopy(card)).capabilities
    old = OldCard.model_validate(card).capabilities
    assert (new.streaming, new.extended_agent_card) == (old.streaming, True) == (True, True)
    assert (new.push_notifications, old.state_transition_history) == (old.push_notifications, False)
    (ours,) = new.extensions
    assert (ours.uri, ours.required) == (EXTENSION, False)
    assert {"codebase_id", "model", "target_agent"} <= set(dict(ours.params)["metadata"])


async def test_security_is_a_bearer_token_or_nothing(ada: Caller, settings) -> None:
    card = (await ada.http.get(CARD)).json()
    new, old = parse_agent_card(copy.deepcopy(card)), OldCard.model_validate(card)
    assert new.security_schemes["bearer"].http_auth_security_scheme.scheme == "bearer"
    assert [list(one.schemes) for one in new.security_requirements] == [["bearer"]]
    assert (old.security_schemes or {})["bearer"].root.type == "http"
    assert old.security == [{"bearer": []}]
    settings.A2A_AUTH_ENABLED = False
    card = (await ada.http.get(CARD)).json()
    assert not {"securitySchemes", "securityRequirements", "security"} & card.keys()


async def test_the_identity_provider_is_named_where_there_is_one(ada: Caller, settings) -> None:
    said = {"OIDC_ISSUER": "https://sso.example.com", "OIDC_CLIENT_ID": "ct"}
    settings.OIDC = oidc_settings(env.sign_on(said), allow_list(()))
    card = (await ada.http.get(CARD)).json()
    new, old = parse_agent_card(copy.deepcopy(card)), OldCard.model_validate(card)
    address = "https://sso.example.com/.well-known/openid-configuration"
    assert new.security_schemes["oidc"].open_id_connect_security_scheme.open_id_connect_url == address
    assert [list(one.schemes) for one in new.security_requirements] == [["bearer"], ["oidc"]]
    assert (old.security_schemes or {})["oidc"].root.type == "openIdConnect"


async def test_grpc_is_listed_where_it_is_served(ada: Caller, settings) -> None:
    settings.A2A_GRPC_PORT, settings.A2A_GRPC_URL = 0, "grpc.example:443"
    assert "GRPC" not in (await ada.http.get(CARD)).text
    settings.A2A_GRPC_PORT = 50_051
    card = (await ada.http.get(CARD)).json()
    assert card["additionalInterfaces"][-1] == {"transport": "GRPC", "url": "grpc.example:443"}


@pytest.mark.parametrize("path", ["/.well-known/agent.json", "/a2a/jsonrpc", "/v1/a2a", "/a2a"])
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
    again = await ada.http.get(CARD, headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["etag"], "content-type" in again.headers) == (first.headers["etag"], False)
    assert (await ada.http.get(CARD, headers={"if-none-match": '"other"'})).status_code == 200


async def test_card_is_asked_for_again_by_date(ada: Caller) -> None:
    changed = (await ada.http.get(CARD)).headers["last-modified"]
    before = format_datetime(parsedate_to_datetime(changed) - timedelta(seconds=1), usegmt=True)
    for since, status in ((changed, 304), (before, 200), ("yesterday", 200), ("", 200)):
        assert (await ada.http.get(CARD, headers={"if-modified-since": since})).status_code == status
    both = {"if-modified-since": changed, "if-none-match": '"other"'}
    assert (await ada.http.get(CARD, headers=both)).status_code == 200


async def test_head_has_the_headers_and_nothing_else(ada: Caller) -> None:
    whole, head = await ada.http.get(CARD), await ada.http.head(CARD)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("path", [CARD, "/.well-known/jwks.json"])
async def test_pages_of_other_sites_may_read_it(ada: Caller, path: str) -> None:
    assert (await ada.http.get(path)).headers["access-control-allow-origin"] == "*"
    asked = {"origin": "https://other.example", "access-control-request-headers": "a2a-version"}
    allowed = await ada.http.options(path, headers=asked)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
    assert "A2A-Version" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed.headers


async def test_other_methods_are_refused(ada: Caller) -> None:
    refused = await ada.http.delete(CARD)
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")


async def test_addresses_are_those_that_the_client_asked(ada: Caller) -> None:
    card = (await ada.http.get(CARD, headers={"host": "agents.example:8443"})).json()
    assert card["url"] == "http://agents.example:8443/a2a/jsonrpc"
    assert card["additionalInterfaces"][-1]["url"] == "agents.example:50051"


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
    await in_database(connect, cast)
    for query in ("", "?signed=true"):
        text = (await ada.http.get(CARD + query)).text
        assert not [word for word in ("reviewer", "secret-host", "acme/large", "shop") if word in text]


async def test_name_and_description_are_settings(ada: Caller) -> None:
    card = (await ada.http.get(CARD)).json()
    assert (card["name"], card["description"]) == (settings.A2A_AGENT_NAME, settings.A2A_AGENT_DESCRIPTION)
