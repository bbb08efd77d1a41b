"""The cards with the official client over real HTTP: found, checked by the published key, and used."""

import uuid

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.transports.jsonrpc import JsonRpcTransport
from a2a.compat.v0_3.jsonrpc_transport import CompatJsonRpcTransport
from a2a.types import AgentCard, GetExtendedAgentCardRequest, Message, Part, Role, SendMessageRequest
from a2a.utils.constants import TransportProtocol
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier
from django.conf import settings
from jwt import PyJWK, PyJWKSet

from apps.core.db import in_database
from codetether.signing_keys import new_signing_key
from tests.api.a2a.connected import connect
from tests.contract.a2a.conftest import MakeClient
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

EVERYTHING = [binding.value for binding in TransportProtocol]
SIGNED = {"params": {"signed": "true"}}
REVIEWERS_CARD = "/a2a/agents/reviewer/.well-known/agent-card.json"


async def published_key(http: httpx.AsyncClient, address: str) -> PyJWK:
    (key,) = PyJWKSet.from_dict((await http.get(f"{address}/.well-known/jwks.json")).json()).keys
    return key


@pytest.mark.parametrize("path", ["", "/.well-known/agent.json", REVIEWERS_CARD])
async def test_resolver_verifies_the_card(http: httpx.AsyncClient, address: str, cast: Cast, path: str) -> None:
    await in_database(connect, cast)
    key = await published_key(http, address)
    verify = create_signature_verifier(lambda kid, jku: key, ["ES256"])
    resolver = A2ACardResolver(http, address)
    card = await resolver.get_agent_card(path or None, http_kwargs=SIGNED, signature_verifier=verify)
    assert card.name == ("reviewer" if path == REVIEWERS_CARD else settings.A2A_AGENT_NAME)


async def test_resolver_refuses_it_by_another_key(http: httpx.AsyncClient, address: str) -> None:
    verify = create_signature_verifier(lambda kid, jku: new_signing_key(), ["ES256"])
    with pytest.raises(SignatureVerificationError):
        await A2ACardResolver(http, address).get_agent_card(http_kwargs=SIGNED, signature_verifier=verify)


async def test_extended_card_is_verified(factory: MakeClient, http: httpx.AsyncClient, address: str) -> None:
    """In 1.0: the client of 0.3's protocol gives the card on without 1.0's fields, so with another canonical form."""
    key = await published_key(http, address)
    card = await factory().get_extended_agent_card(GetExtendedAgentCardRequest())
    assert len(card.signatures) == 2
    if factory.card.supported_interfaces[0].protocol_version == "1.0":
        create_signature_verifier(lambda kid, jku: key, ["ES256"])(card)


@pytest.mark.parametrize(("version", "transport"), [("1.0", JsonRpcTransport), ("0.3", CompatJsonRpcTransport)])
async def test_client_that_speaks_everything_takes_json_rpc(card: AgentCard, version: str, transport: type) -> None:
    known = [one for one in card.supported_interfaces if version in ("1.0", one.protocol_version)]
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(known)
    client = ClientFactory(ClientConfig(supported_protocol_bindings=EVERYTHING)).create(card)
    assert isinstance(client._transport, transport)
    await client.close()


@pytest.mark.parametrize("binding", [TransportProtocol.JSONRPC.value, TransportProtocol.HTTP_JSON.value])
async def test_roles_card_leads_to_its_agent(http: httpx.AsyncClient, address: str, cast: Cast, binding: str) -> None:
    await in_database(connect, cast)
    card = await A2ACardResolver(http, address).get_agent_card(REVIEWERS_CARD)
    config = ClientConfig(httpx_client=http, supported_protocol_bindings=[binding], streaming=False, polling=True)
    client = ClientFactory(config).create(card)
    said = Message(role=Role.ROLE_USER, message_id=uuid.uuid4().hex, parts=[Part(text="Look at it")])
    (event,) = [event async for event in client.send_message(SendMessageRequest(message=said))]
    (ours,) = event.task.metadata.values()
    assert ours["targetAgent"] == "reviewer"
    own = await client.get_extended_agent_card(GetExtendedAgentCardRequest())
    assert (own.name, [skill.id for skill in own.skills]) == ("reviewer", ["reviewer"])
