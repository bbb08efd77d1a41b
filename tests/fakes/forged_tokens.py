"""Tokens that say they are the identity provider's, and are not to be believed."""

import time
from typing import Any

import jwt

from tests.fakes.identity_provider import IdentityProvider, Key

OPERATOR = {"realm_access": {"roles": ["codetether-operator", "offline_access"]}}
OTHERS_KEY = Key("first")


def forged(idp: IdentityProvider) -> dict[str, str]:
    """Tokens that no provider made for us, by what is wrong with them."""
    public = idp.keys[0].public_pem
    claims = jwt.decode(idp.token(**OPERATOR), options={"verify_signature": False})
    kid = {"kid": "first"}
    good = idp.token(**OPERATOR)
    return {
        "algorithm none": jwt.encode(claims, "", algorithm="none", headers=kid),
        "HS256 with the public key": _hs256(claims, public, kid),
        "signed by another's key": idp.token(key=OTHERS_KEY, **OPERATOR),
        "key id of nobody": idp.token(header={"kid": "unheard-of"}, **OPERATOR),
        "without a key id": idp.token(header={"kid": ""}, **OPERATOR),
        "audience": idp.token(aud="another-client", **OPERATOR),
        "audience only azp": idp.token(aud="account", azp="codetether", **OPERATOR),
        "no audience": idp.token(aud=None, **OPERATOR),
        "issuer": idp.token(iss=f"{idp.issuer}/", **OPERATOR),
        "expired": idp.token(exp=int(time.time()) - 60, **OPERATOR),
        "no expiry": idp.token(exp=None, **OPERATOR),
        "not yet": idp.token(nbf=int(time.time()) + 600, **OPERATOR),
        "no subject": idp.token(sub=None, **OPERATOR),
        "critical header": idp.token(header={"crit": ["b64"], "b64": False}, **OPERATOR),
        "a logout token": idp.logout_token(**OPERATOR),
        "an ID token": idp.id_token(**OPERATOR),
        "Keycloak's ID token": idp.token(typ="ID", **OPERATOR),
        "a refresh token": idp.token(typ="Refresh", **OPERATOR),
        "cut": good[:-4],
        "changed": ".".join([good.split(".")[0], idp.token(sub="eve").split(".")[1], good.split(".")[2]]),
        "too long": idp.token(filler="x" * 20_000, **OPERATOR),
    }


def _hs256(claims: dict[str, Any], public: bytes, header: dict[str, str]) -> str:
    """PyJWT refuses to sign so; this is what an attacker's own program does."""
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    head, body, _ = jwt.encode(claims, "x" * 32, algorithm="HS256", headers=header).split(".")
    signature = algorithm.sign(f"{head}.{body}".encode(), public)
    return f"{head}.{body}.{jwt.utils.base64url_encode(signature).decode()}"
