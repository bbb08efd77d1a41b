"""Signatures on cards: checked by the SDK's own verifier with the published keys, and given for our addresses only."""

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from a2a.utils.signing import InvalidSignaturesError, NoSignatureError, create_signature_verifier
from jwt import PyJWK, PyJWKSet, api_jws
from jwt.exceptions import InvalidSignatureError

from apps.a2a.signing import key_id, key_set
from apps.core.db import in_database
from codetether.signing_keys import new_signing_key
from tests.api.a2a.client import Caller
from tests.api.a2a.connected import connect
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

CARD = "/.well-known/agent-card.json"
KEYS = "/.well-known/jwks.json"
Json = dict[str, Any]


async def verify(ada: Caller, card: Json) -> None:
    """As the official client of 1.0 does, with the keys as they are published."""
    keys = PyJWKSet.from_dict((await ada.http.get(KEYS)).json())
    read = parse_agent_card(copy.deepcopy(card))
    create_signature_verifier(lambda kid, jku: _key(keys, kid), ["ES256"])(read)


def _key(keys: PyJWKSet, kid: str | None) -> PyJWK:
    return next(key for key in keys.keys if key.key_id == kid)


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def signed_card(ada: Caller) -> Json:
    card: Json = (await ada.http.get(f"{CARD}?signed=true")).json()
    return card


async def test_signature_holds(ada: Caller) -> None:
    await verify(ada, await signed_card(ada))


async def test_signature_comes_when_it_is_asked_for(ada: Caller) -> None:
    plain, asked = (await ada.http.get(CARD)).json(), await signed_card(ada)
    assert "signatures" not in plain
    assert {name: value for name, value in asked.items() if name != "signatures"} == plain
    with pytest.raises(NoSignatureError):
        await verify(ada, plain)


async def test_signed_card_is_cached_under_its_own_tag(ada: Caller) -> None:
    plain, asked = await ada.http.get(CARD), await ada.http.get(f"{CARD}?signed=true")
    assert plain.headers["etag"] != asked.headers["etag"]
    again = await ada.http.get(f"{CARD}?signed=true", headers={"if-none-match": asked.headers["etag"]})
    assert again.status_code == 304


async def test_question_that_cannot_be_read_is_refused(ada: Caller) -> None:
    refused = await ada.http.get(f"{CARD}?signed=perhaps")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "Evil"),
        ("description", "x"),
        ("supportedInterfaces", [{"url": "https://evil.example", "protocolBinding": "JSONRPC"}]),
        ("skills", []),
        ("securitySchemes", {}),
        ("defaultInputModes", ["image/png"]),
    ],
)
async def test_tampering_is_noticed(ada: Caller, name: str, value: object) -> None:
    with pytest.raises(InvalidSignaturesError):
        await verify(ada, {**await signed_card(ada), name: value})


async def test_another_key_does_not_check_it(ada: Caller, settings) -> None:
    card = await signed_card(ada)
    kid = key_id()
    settings.A2A_SIGNING_KEY = new_signing_key()
    assert key_id() != kid
    stranger = PyJWK({**key_set()["keys"][0], "kid": kid})
    with pytest.raises(InvalidSignaturesError):
        create_signature_verifier(lambda *_: stranger, ["ES256"])(parse_agent_card(card))


async def test_header_says_by_which_key_and_where_it_is(ada: Caller) -> None:
    for signature in (await signed_card(ada))["signatures"]:
        header = json.loads(unpadded(signature["protected"]))
        assert header == {"alg": "ES256", "typ": "JOSE", "kid": key_id(), "jku": f"http://testserver{KEYS}"}


async def test_clients_of_the_older_version_find_a_signature_of_theirs(ada: Caller) -> None:
    """0.3's SDK canonicalizes what its own types know, without defaults and empty values."""
    card = await signed_card(ada)
    known = OldCard.model_validate(card).model_dump(
        exclude={"signatures"}, exclude_defaults=True, exclude_none=True, by_alias=True
    )
    known.pop("security")  # all that is empty in ours
    payload = base64.urlsafe_b64encode(json.dumps(known, separators=(",", ":"), sort_keys=True).encode()).rstrip(b"=")
    key = PyJWKSet.from_dict((await ada.http.get(KEYS)).json()).keys[0]
    new, old = (f"{one['protected']}.{payload.decode()}.{one['signature']}" for one in card["signatures"])
    api_jws.decode(old, key, ["ES256"])
    with pytest.raises(InvalidSignatureError):
        api_jws.decode(new, key, ["ES256"])


async def test_keys_are_public_and_cached_and_hold_nothing_private(ada: Caller) -> None:
    nobody = Caller("")
    answer = await nobody.http.get(KEYS)
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"].startswith("public, max-age=")
    again = await nobody.http.get(KEYS, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await nobody.http.aclose()


async def test_keys_name_is_its_thumbprint(ada: Caller) -> None:
    """RFC 7638 §3.2: the members that every such key needs, by name, without spaces."""
    (key,) = (await ada.http.get(KEYS)).json()["keys"]
    text = f'{{"crv":"{key["crv"]}","kty":"{key["kty"]}","x":"{key["x"]}","y":"{key["y"]}"}}'
    assert unpadded(key["kid"]) == hashlib.sha256(text.encode()).digest()


async def test_given_key_signs(ada: Caller, settings) -> None:
    settings.A2A_SIGNING_KEY = new_signing_key()
    await verify(ada, await ada.result("GetExtendedAgentCard", {}))


@pytest.mark.parametrize("host", ["evil.example", "169.254.1.1", "localhost.evil.example", "127.0.0.1.evil.example"])
async def test_only_our_own_address_is_signed(ada: Caller, cast: Cast, host: str) -> None:
    await in_database(connect, cast)
    headers = {"host": host}
    refused = await ada.http.get(f"{CARD}?signed=true", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "address_unknown")
    assert "signatures" not in (await ada.http.get(f"/a2a/agents/reviewer{CARD}", headers=headers)).json()
    assert "signatures" not in await ada.result("GetExtendedAgentCard", {}, **headers)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "ours.example", "given.example"])
async def test_addresses_that_the_settings_know_are_signed(ada: Caller, settings, host: str) -> None:
    if host == "ours.example":
        settings.ALLOWED_HOSTS = [host, "testserver"]
    if host == "given.example":
        settings.A2A_AGENT_URL_IS_GIVEN, settings.A2A_AGENT_URL = True, f"https://{host}"
    card = (await ada.http.get(f"{CARD}?signed=true", headers={"host": host})).json()
    assert host in card["url"]
    await verify(ada, card)


async def test_workspaces_cards_are_always_signed(ada: Caller, cast: Cast) -> None:
    def furnish() -> None:
        shop = cast.codebase("Müllers Laden €", description="Größe 1.5e300 \u2028 \U0001f600")
        connect(cast, codebases=[shop.id])

    await in_database(furnish)
    await verify(ada, await ada.result("GetExtendedAgentCard", {}))
    await verify(ada, await ada.result("agent/getAuthenticatedExtendedCard", {}))
    await verify(ada, (await ada.http.get(f"/a2a/agents/reviewer{CARD}")).json())
