"""Signatures of agent cards: ES256 over the canonical card (A2A 1.0 §8.4; 0.3 §5.5.6), and the key that checks them.

The two versions canonicalize a card differently: each knows only its own fields, and 0.3's SDK leaves out what is at
its default. A card for clients of both carries a signature for each; verifiers of either need one that is valid.
"""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

import jwt
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3.types import AgentCard as OldCard
from a2a.utils.signing import ProtectedHeader, create_agent_card_signer
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from apps.a2a.addresses import JWKS_PATH
from apps.core import jsontext
from apps.core.key_pairs import private_key

Json = dict[str, Any]

ALGORITHM = "ES256"


def signed(card: Json, base_url: str) -> Json:
    """The card, as it is served, with its signatures; whose key is found at the same address."""
    pairs = _signatures(jsontext.dumps(card), base_url, settings.A2A_SIGNING_KEY)
    return {**card, "signatures": [{"protected": protected, "signature": signature} for protected, signature in pairs]}


@lru_cache(maxsize=64)
def _signatures(body: bytes, base_url: str, pem: str) -> list[tuple[str, str]]:
    """(protected header, signature) for 1.0 and for 0.3. Those of a large card cost 40 ms, so they are kept."""
    card, key, header = jsontext.loads_object(body), _private_key(pem), _protected_header(base_url)
    old_payload = _old_payload(card)
    parsed = parse_agent_card(card)  # which takes the old fields out
    create_agent_card_signer(key, header)(parsed)  # type: ignore[arg-type]  # PyJWT takes keys as such
    (new,) = parsed.signatures
    protected, _, old = jwt.api_jws.encode(old_payload, key, ALGORITHM, headers=dict(header)).split(".")
    return [(new.protected, new.signature), (protected, old)]


def key_set() -> Json:
    """The public keys that check our signatures (JWK Set, RFC 7517 §5)."""
    return {"keys": [{**_public_jwk(), "kid": key_id(), "use": "sig", "alg": ALGORITHM}]}


def key_id() -> str:
    """The key's thumbprint (RFC 7638 §3): it follows from the key, so every replica names it alike."""
    canonical = json.dumps(_public_jwk(), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _protected_header(base_url: str) -> ProtectedHeader:
    return {"alg": ALGORITHM, "kid": key_id(), "jku": f"{base_url}{JWKS_PATH}", "typ": "JOSE"}


def _old_payload(card: Json) -> bytes:
    """The canonical card as 0.3's SDK makes it: without defaults, empty values and fields that 0.3 does not know."""
    known = OldCard.model_validate(card).model_dump(
        exclude={"signatures"}, exclude_defaults=True, exclude_none=True, by_alias=True
    )
    return json.dumps(_without_empty(known), separators=(",", ":"), sort_keys=True).encode()


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: kept for name, one in value.items() if (kept := _without_empty(one)) is not None} or None
    if isinstance(value, list):
        return [kept for one in value if (kept := _without_empty(one)) is not None] or None
    return None if value == "" else value


def _public_jwk() -> dict[str, str]:
    numbers = _private_key(settings.A2A_SIGNING_KEY).public_key().public_numbers()
    x, y = (_base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    return private_key(pem, settings.SECRET_KEY, "codetether: agent cards")
