"""Cards of remote agents: fetched through the guarded client, read by the SDK, and trusted only as far as signed.

A signature's key comes from the JWKS that the registration pins, or else from the `jku` that the signature names, where
that has the card's own origin: anybody can sign with a key of their own and publish it elsewhere (A2A 1.0 §8.4).
"""

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from a2a.client.card_resolver import parse_agent_card
from a2a.client.client_factory import major_minor
from a2a.types import AgentCard, AgentInterface
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH, PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0
from google.protobuf.json_format import ParseError
from packaging.version import InvalidVersion

from apps.core import jsontext
from apps.core.errors import MalformedError
from apps.core.outbound import OutboundRefusedError, check_url, outbound_client
from apps.federation.errors import refused
from apps.federation.models import RemoteAgent
from apps.federation.signatures import Signed, verify

Json = dict[str, Any]

CARD_SECONDS = 10.0
ALL_SECONDS = 20.0
CARD_BYTES = 1_000_000
ETAG_LIMIT = 200
BINDINGS = tuple(RemoteAgent.Binding)
VERSIONS = (PROTOCOL_VERSION_1_0, PROTOCOL_VERSION_0_3)
"""Those that the SDK's client speaks, the better first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a card is, and what makes it trusted. `etag`: of the copy that we have."""

    card_url: str
    headers: Mapping[str, str]
    jwks_url: str = ""
    require_signature: bool = False
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A card that may be used, and the interface of it that we call."""

    raw: Json
    card: AgentCard
    interface: AgentInterface
    etag: str
    signature: str


def card_url_of(address: str) -> str:
    """Where the card is: an address without a path is the agent's host, whose card has a well-known place."""
    bare, _, _ = address.strip().partition("#")
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    if separator and not path and "?" not in host:
        return f"{scheme}://{host}{AGENT_CARD_WELL_KNOWN_PATH}"
    return bare


async def fetch_card(source: Source) -> Fetched | None:
    """The card, or None where the copy we have is still it. CardRefusedError names the field that is to blame."""
    try:
        async with asyncio.timeout(ALL_SECONDS):
            return await _fetched(source)
    except TimeoutError as error:
        raise refused("card_url", f"The card and its keys did not come within {ALL_SECONDS:.0f} s.") from error


async def _fetched(source: Source) -> Fetched | None:
    await _callable(source.card_url, "card_url")
    async with outbound_client(timeout=CARD_SECONDS, total=CARD_SECONDS, max_bytes=CARD_BYTES) as client:
        response = await _got(client, source)
        if response.status_code == httpx.codes.NOT_MODIFIED and source.etag:
            return None
        raw, card = _read(response)
        interface = interface_of(card)
        if interface is None:
            offered = ", ".join(sorted({f"{one.protocol_binding} {one.protocol_version}" for one in _listed(card)}))
            message = f"The agent offers {offered or 'no interface'}; we call JSON-RPC and HTTP+JSON of A2A 1.0 or 0.3."
            raise refused("card_url", message)
        await _callable(interface.url, "card_url", "The card names an interface that we do not call. ")
        signed = await verify(card, card_url=source.card_url, jwks_url=source.jwks_url, client=client)
    _check_signature(signed, source)
    etag = response.headers.get("etag", "")
    return Fetched(raw, card, interface, etag if len(etag) <= ETAG_LIMIT else "", signed.status)


async def _callable(url: str, field: str, why: str = "") -> None:
    try:
        await check_url(url, field=field)
    except OutboundRefusedError as error:
        said = " ".join(message for messages in (error.errors or {}).values() for message in messages)
        raise refused(field, f"{why}{said or error.detail}") from error


async def _got(client: httpx.AsyncClient, source: Source) -> httpx.Response:
    headers = {"accept": "application/json", **source.headers}
    if source.etag:
        headers["if-none-match"] = source.etag
    try:
        response = await client.get(source.card_url, headers=headers)
    except httpx.HTTPError as error:
        raise refused("card_url", f"No card could be fetched: {error or type(error).__name__}.") from error
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise refused("token", f"The agent's server refused these credentials (HTTP {response.status_code}).")
    if response.status_code not in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
        raise refused("card_url", f"There is no card: the server answered HTTP {response.status_code}.")
    return response


def _read(response: httpx.Response) -> tuple[Json, AgentCard]:
    try:
        raw = jsontext.loads(response.content)
    except MalformedError as error:
        raise refused("card_url", "What is there is no JSON, so no agent's card.") from error
    if not isinstance(raw, dict):
        raise refused("card_url", "What is there is no agent's card.")
    return raw, card_of(raw)


def card_of(raw: Mapping[str, Any]) -> AgentCard:
    """The card as the SDK reads it, of either version."""
    try:
        card = parse_agent_card(copy.deepcopy(dict(raw)))
    except (ParseError, TypeError, ValueError, AttributeError) as error:
        raise refused("card_url", f"What is there is no agent's card: {error}") from error
    if not card.name:
        raise refused("card_url", "The card gives no name.")
    return card


def _listed(card: AgentCard) -> list[AgentInterface]:
    return list(card.supported_interfaces)


def interface_of(card: AgentCard) -> AgentInterface | None:
    """The interface to call: of the newest version that we speak, the first in the card's order."""
    found = [one for one in _listed(card) if one.protocol_binding in BINDINGS and _version(one) in VERSIONS and one.url]
    return min(found, key=lambda one: VERSIONS.index(_version(one)), default=None)


def _version(interface: AgentInterface) -> str:
    """Patch versions do not count (A2A 1.0 §3.6)."""
    try:
        major, minor = major_minor(interface.protocol_version or PROTOCOL_VERSION_0_3)
    except InvalidVersion:
        return ""
    return f"{major}.{minor}"


def _check_signature(signed: Signed, source: Source) -> None:
    if signed.status == RemoteAgent.Signature.INVALID:
        raise refused("jwks_url" if source.jwks_url else "card_url", signed.reason)
    if signed.status == RemoteAgent.Signature.UNSIGNED and source.require_signature:
        raise refused("require_signature", "The card is not signed.")


def skills_of(raw: Mapping[str, Any]) -> list[Json]:
    """What the card says that the agent can do, as {id, name, description}."""
    skills = raw.get("skills")
    listed = [one for one in skills if isinstance(one, dict)] if isinstance(skills, list) else []
    return [{name: str(one.get(name, "")) for name in ("id", "name", "description")} for one in listed]
