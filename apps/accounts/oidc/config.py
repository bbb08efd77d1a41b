"""The settings of sign-on by OpenID Connect, checked. `codetether/env.py` reads them; None means: not configured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from apps.accounts.oidc.grants import Access, Rule, access_by, joined, rules_of
from apps.core.addresses import AllowList

Claims = Mapping[str, Any]
MOST_NAMES = 1_000
"""Of roles and groups that are looked at in one token."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OidcSettings:
    """One provider, and this installation as its client. `issuer` is spelled exactly as in the tokens."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: str
    audiences: tuple[str, ...]
    role_claims: tuple[str, ...]
    group_claims: tuple[str, ...]
    role_rules: tuple[Rule, ...]
    group_rules: tuple[Rule, ...]
    username_claim: str
    leeway: int
    password_grant: bool

    @property
    def is_plain(self) -> bool:
        """Whether the provider is called without TLS, which only what the operator has listed may be."""
        return self.issuer.startswith("http://")

    def access_of(self, *claims: Claims) -> Access:
        """What the roles and groups in any of `claims` give."""
        roles = [name for one in claims for claim in self.role_claims for name in self._names(one, claim)]
        groups = [name for one in claims for claim in self.group_claims for name in self._names(one, claim)]
        return joined(access_by(self.role_rules, roles), access_by(self.group_rules, groups))

    def _names(self, claims: Claims, claim: str) -> Iterator[str]:
        """The texts in a claim, which is named in full or by a path of dots; `{client}` is our client id."""
        found = claims.get(claim)
        if found is None:
            found = _at(claims, [step.replace("{client}", self.client_id) for step in claim.split(".")])
        entries = found.split() if isinstance(found, str) else found
        if isinstance(entries, list):
            yield from (entry for entry in entries[:MOST_NAMES] if isinstance(entry, str))


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def oidc_settings(said: Mapping[str, Any], allowed: AllowList) -> OidcSettings | None:
    """The settings behind the variables in `said` (by name); ValueError says in one line what is wrong.

    `allowed`: what the operator has listed for outbound calls; only such a host may be called without TLS.
    """
    prefix = "KEYCLOAK" if said["KEYCLOAK_URL"] else "OIDC"
    issuer = _issuer(said)
    if not issuer:
        return None
    client_id = said[f"{prefix}_CLIENT_ID"]
    if not client_id:
        raise ValueError(f"{prefix}_CLIENT_ID is not set: give the client's id at the provider.")
    _check_issuer(issuer, allowed)
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=said[f"{prefix}_CLIENT_SECRET"],
        name=said["OIDC_NAME"] or ("Keycloak" if prefix == "KEYCLOAK" else urlsplit(issuer).hostname or issuer),
        scopes=_scopes(said["OIDC_SCOPES"]),
        audiences=tuple(said["OIDC_AUDIENCE"]) or (client_id,),
        role_claims=tuple(said["OIDC_ROLE_CLAIMS"]),
        group_claims=tuple(said["OIDC_GROUP_CLAIMS"]),
        role_rules=rules_of("OIDC_ROLE_MAP", said["OIDC_ROLE_MAP"]),
        group_rules=rules_of("OIDC_GROUP_MAP", said["OIDC_GROUP_MAP"]),
        username_claim=said["OIDC_USERNAME_CLAIM"],
        leeway=said["OIDC_LEEWAY"],
        password_grant=said["OIDC_PASSWORD_GRANT"],
    )


def _issuer(said: Mapping[str, Any]) -> str:
    url, realm, issuer = (str(said[name]) for name in ("KEYCLOAK_URL", "KEYCLOAK_REALM", "OIDC_ISSUER"))
    if bool(url) != bool(realm):
        raise ValueError("KEYCLOAK_URL and KEYCLOAK_REALM: give both, or neither.")
    if url and issuer:
        raise ValueError("OIDC_ISSUER and KEYCLOAK_URL: give one of them, there is one provider.")
    return f"{url.rstrip('/')}/realms/{realm}" if url else issuer


def _check_issuer(issuer: str, allowed: AllowList) -> None:
    parts = urlsplit(issuer)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"The issuer {issuer} is no address: give https://host/path, without a query.")
    if parts.scheme == "http" and not _is_listed(allowed, parts.hostname):
        raise ValueError(f"The issuer {issuer} is not https: list its host in A2A_OUTBOUND_ALLOWED, or use https.")


def _is_listed(allowed: AllowList, host: str) -> bool:
    try:
        return allowed.lists_host(host) or allowed.lists_address(ip_address(host))
    except ValueError:
        return False  # a name, which is looked up only when it is called


def _scopes(text: str) -> str:
    names = text.split()
    return " ".join(names if "openid" in names else ["openid", *names])
