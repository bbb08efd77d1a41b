"""The three kinds of JWT that a provider gives us, and all that must hold before one is believed.

Common to all: signed by a key of the provider's key set, by an asymmetric algorithm, of our issuer, for our audience,
not expired. A key is used for the algorithms of its own type only, so a public key never serves as a shared secret.
"""

import hmac
import time
from collections.abc import Collection, Sequence
from typing import Any

import jwt
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError

from apps.accounts.oidc.provider import Provider, ProviderError
from apps.core.errors import UnauthenticatedError

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
"""What is taken, and the type of key (`kty`, RFC 7518 §6.1) that each needs."""
LONGEST = 16_384
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_AGE_SECONDS = 300
LAST_SECOND = 253_402_300_800
"""The end of the year 9999, after which no date can be written: a provider that counts milliseconds is beyond it."""
PLAIN_TYPES = frozenset({"", "jwt"})
ACCESS_TYPES = PLAIN_TYPES | {"at+jwt", "application/at+jwt"}
LOGOUT_TYPES = PLAIN_TYPES | {"logout+jwt", "application/logout+jwt"}

Claims = dict[str, Any]


class BadTokenError(UnauthenticatedError):
    """A JWT that is not believed; `detail` says why, and holds nothing of it."""

    code = "bad_token"


def looks_like_jwt(token: str) -> bool:
    """Whether `token` has the form of a signed JWT (RFC 7515 §7.1); our own tokens never do."""
    return token.startswith("ey") and token.count(".") == 2


def id_token_claims(found: Provider, token: str, *, nonce: str | None) -> Claims:
    """OpenID Connect Core §3.1.3.7. `nonce` None: the token was not asked for by way of a browser."""
    client_id = found.settings.client_id
    claims = _verified(found, token, types=PLAIN_TYPES, audiences=[client_id], required=("exp", "iat", "sub"))
    if nonce is not None and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise BadTokenError("The ID token does not belong to this sign-in (nonce).")
    if claims.get("azp", client_id) != client_id or (_is_for_several(claims) and "azp" not in claims):
        raise BadTokenError("The ID token was made for another client (azp).")
    return claims


def bearer_claims(found: Provider, token: str) -> Claims:
    """An access token that a program brings (RFC 9068 §4, and what Keycloak makes).

    `aud` must name us; who asked for the token (`azp`) does not matter then, because the provider has said whom it is
    for. An ID token is for the client's own eyes and no key to an API, so it is refused here.
    """
    audiences = found.settings.audiences
    claims = _verified(found, token, types=ACCESS_TYPES, audiences=audiences, required=("exp", "iat", "sub"))
    kind = claims.get("typ")
    is_marked = kind == "Bearer" or _type_of(token) not in PLAIN_TYPES
    if (kind is not None and kind != "Bearer") or (not is_marked and {"nonce", "at_hash", "c_hash"} & claims.keys()):
        raise BadTokenError("This is not an access token.")
    if "events" in claims:
        raise BadTokenError("This is not an access token.")
    return claims


def own_access_claims(found: Provider, token: str, *, subject: str) -> Claims | None:
    """The claims of the access token that came with an ID token, for the roles in it; None where it is no JWT of ours.

    It came straight from the provider, so it may be made for any audience; but not for somebody else.
    """
    if not looks_like_jwt(token):
        return None
    try:
        claims = _verified(found, token, types=ACCESS_TYPES, audiences=None, required=("exp", "sub"))
    except BadTokenError:
        return None
    return claims if claims["sub"] == subject else None


def logout_claims(found: Provider, token: str) -> Claims:
    """OpenID Connect Back-Channel Logout 1.0 §2.6, except for the replay, which the database knows."""
    client_id = found.settings.client_id
    needed = ("exp", "iat", "jti", "events")
    claims = _verified(found, token, types=LOGOUT_TYPES, audiences=[client_id], required=needed)
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise BadTokenError("The logout token is not about a logout.")
    if "nonce" in claims:
        raise BadTokenError("A logout token has no nonce.")
    if not (_text(claims.get("sub")) or _text(claims.get("sid"))) or not _text(claims["jti"]):
        raise BadTokenError("The logout token says nobody's name.")
    if claims["iat"] < time.time() - LOGOUT_AGE_SECONDS - found.settings.leeway:
        raise BadTokenError("The logout token is old.")
    return claims


def _verified(
    found: Provider, token: str, *, types: Collection[str], audiences: Sequence[str] | None, required: Sequence[str]
) -> Claims:
    """The claims of a token for which all of the module's first paragraph holds; ProviderError, BadTokenError."""
    if not isinstance(token, str) or not looks_like_jwt(token) or len(token) > LONGEST:
        raise BadTokenError("This is not a signed JWT.")
    try:
        key = _key(found, _header(token, types))
        claims: Claims = jwt.decode(
            token,
            key=key,
            algorithms=[key.algorithm_name],
            issuer=found.settings.issuer,
            audience=list(audiences or ()) or None,
            leeway=found.settings.leeway,
            options={"require": ["iss", *required, *(["aud"] if audiences else [])], "verify_aud": bool(audiences)},
        )
    except PyJWKClientConnectionError as error:
        raise ProviderError("The identity provider's keys cannot be had right now.") from error
    except PyJWTError as error:
        raise BadTokenError(f"The token is not valid ({type(error).__name__.removesuffix('Error')}).") from error
    if not all(0 <= float(claims.get(name, 0)) < LAST_SECOND for name in ("exp", "iat")):
        raise BadTokenError("The token's times are none.")
    if "sub" in required and not _text(claims["sub"]):
        raise BadTokenError("The token says nobody's name.")
    return claims


def _header(token: str, types: Collection[str]) -> Claims:
    header: Claims = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise BadTokenError("The token is not signed by an algorithm that is taken here.")
    if _type_in(header) not in types or "crit" in header or "b64" in header:
        raise BadTokenError("The token is of another kind.")
    if not _text(header.get("kid")):
        raise BadTokenError("The token does not say by which key it is signed.")
    return header


def _key(found: Provider, header: Claims) -> jwt.PyJWK:
    """The provider's key with that id, if it may sign so."""
    known = found.keys.get_signing_key(header["kid"])._jwk_data
    algorithm = header["alg"]
    if known.get("kty") != ALGORITHMS[algorithm] or known.get("alg", algorithm) != algorithm:
        raise BadTokenError("The token's key is not for its algorithm.")
    return jwt.PyJWK(known, algorithm)


def _type_of(token: str) -> str:
    return _type_in(jwt.get_unverified_header(token))


def _type_in(header: Claims) -> str:
    return str(header.get("typ") or "").lower()


def _is_for_several(claims: Claims) -> bool:
    return isinstance(claims["aud"], list) and len(claims["aud"]) > 1


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and "\0" not in value
