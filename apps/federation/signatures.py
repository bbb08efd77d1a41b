"""Whether a card's signature holds: the SDK checks it (JWS over the canonical card), here the key is found for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from a2a.types import AgentCard
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWKError, PyJWKSetError
from jwt.utils import base64url_decode

from apps.core.outbound import OutboundRefusedError
from apps.federation.models import RemoteAgent

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
"""Public keys only: with a shared one whoever can check could also sign."""
SIGNATURES_LIMIT = 8


@dataclass(frozen=True, slots=True)
class Signed:
    """`status` is one of RemoteAgent.Signature; `reason` says why a signature does not hold."""

    status: str
    reason: str = ""


@dataclass(slots=True)
class KeyRing:
    """The keys of the JWKS that were fetched, by the address of each."""

    pinned: str
    sets: dict[str, PyJWKSet] = field(default_factory=dict)

    def key(self, kid: str | None, jku: str | None) -> PyJWK:
        """The key that a signature's header names, in the form that the SDK's verifier asks for it."""
        known = self.sets.get(self.pinned or str(jku))
        keys = known.keys if known else []
        for one in keys:
            if kid is None and len(keys) == 1 or one.key_id == kid:
                return one
        raise PyJWKError("there is no such key")


async def verify(card: AgentCard, *, card_url: str, jwks_url: str, client: httpx.AsyncClient) -> Signed:
    """Whether one of the card's signatures holds. Keys are fetched by `client`, which must be a guarded one."""
    if not card.signatures:
        return Signed(RemoteAgent.Signature.UNSIGNED)
    if len(card.signatures) > SIGNATURES_LIMIT:
        return _invalid(f"The card has more than {SIGNATURES_LIMIT} signatures.")
    ring = KeyRing(jwks_url)
    places = [jwks_url] if jwks_url else [jku for jku in _named_places(card) if origin_of(jku) == origin_of(card_url)]
    if not places:
        return _invalid("The card is signed by a key that is not at its own origin; pin the key's place by jwks_url.")
    for place in places:
        found = await _fetched(client, place)
        if found is not None:
            ring.sets[place] = found
    if not ring.sets:
        return _invalid(f"The keys for the card's signature could not be fetched from {', '.join(places)}.")
    return _checked(card, ring.key)


def _checked(card: AgentCard, key: Callable[[str | None, str | None], PyJWK]) -> Signed:
    try:
        create_signature_verifier(key, ALGORITHMS)(card)
    except (SignatureVerificationError, ValueError, TypeError):
        return _invalid("The card's signature does not hold: the card was altered, or signed by another key.")
    return Signed(RemoteAgent.Signature.VERIFIED)


def _invalid(reason: str) -> Signed:
    return Signed(RemoteAgent.Signature.INVALID, reason)


def _named_places(card: AgentCard) -> list[str]:
    """The `jku` of each signature's protected header, in order, each once."""
    found: dict[str, None] = {}
    for signature in card.signatures:
        try:
            header: Any = orjson.loads(base64url_decode(signature.protected))
        except ValueError:
            continue
        if isinstance(header, dict) and isinstance(header.get("jku"), str):
            found[header["jku"]] = None
    return list(found)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """What two addresses must have alike to belong to one server: scheme, host and port."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None


async def _fetched(client: httpx.AsyncClient, url: str) -> PyJWKSet | None:
    try:
        response = await client.get(url, headers={"accept": "application/json"})
        return PyJWKSet.from_dict(orjson.loads(response.content)) if response.is_success else None
    except (httpx.HTTPError, OutboundRefusedError, PyJWKSetError, PyJWKError, ValueError, TypeError, AttributeError):
        return None
