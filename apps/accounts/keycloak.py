"""Prepares our client in a Keycloak realm through its admin REST API, as often as one likes: only what differs changes.

The paths and the fields of the representations are those of Keycloak's "Admin REST API" documentation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from apps.accounts.oidc.config import OidcSettings
from apps.accounts.oidc.provider import ProviderAnswer, ProviderError, call_provider
from apps.accounts.permissions import Role
from apps.core import jsontext
from apps.core.errors import InvalidError

Json = dict[str, Any]

ADMIN_REALM, ADMIN_CLIENT = "master", "admin-cli"
ROLES = {
    f"codetether-{role}": said
    for role, said in (
        (Role.VIEWER, "Reads in CodeTether's default workspace."),
        (Role.OPERATOR, "Creates, steers and cancels there, and may use the console."),
        (Role.ADMIN, "Manages members, tokens and settings there too."),
    )
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was changed, in words; and the client's secret, which is shown nowhere."""

    changes: list[str]
    secret: str


class Keycloak:
    """The admin API of one realm, as the administrator who has signed in."""

    def __init__(
        self, configured: OidcSettings, *, username: str, password: str, admin_realm: str = ADMIN_REALM
    ) -> None:
        """Sign in. InvalidError where the issuer is no Keycloak's, or the administrator is not let in."""
        self.base, realms, realm = configured.issuer.rpartition("/realms/")
        if not realms:
            raise InvalidError("The issuer is not a Keycloak realm: set KEYCLOAK_URL and KEYCLOAK_REALM.")
        self.realm = f"{self.base}/admin/realms/{realm}"
        form = {"grant_type": "password", "client_id": ADMIN_CLIENT, "username": username, "password": password}
        token = f"{self.base}/realms/{quote(admin_realm)}/protocol/openid-connect/token"
        answer = call_provider("POST", token, form=form)
        if answer.status in (400, 401):
            raise InvalidError(f"Keycloak does not let {username} in: wrong name or password, or not in {admin_realm}.")
        self._bearer = str(_good(answer, "signing in").json().get("access_token", ""))

    def get(self, path: str) -> Any:
        return jsontext.loads(_good(self._call("GET", path), f"reading {path}").body)

    def post(self, path: str, said: Json) -> None:
        _good(self._call("POST", path, said), f"making {path}")

    def put(self, path: str, said: Json) -> None:
        _good(self._call("PUT", path, said), f"changing {path}")

    def _call(self, method: str, path: str, said: Json | None = None) -> ProviderAnswer:
        return call_provider(method, f"{self.realm}/{path}", json=said, bearer=self._bearer)


def client_prepare(*, keycloak: Keycloak, configured: OidcSettings, address: str) -> Prepared:
    """Make the client what this installation at `address` needs, with its roles and mappers."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise InvalidError("Say by A2A_AGENT_URL under which address browsers reach this installation.")
    wanted = wanted_client(configured, address.rstrip("/"))
    key, changes = _client(keycloak, wanted)
    changes += _roles(keycloak, key)
    changes += _mappers(keycloak, key, configured.client_id)
    secret = keycloak.get(f"clients/{key}/client-secret").get("value", "")
    return Prepared(changes, str(secret or ""))


def wanted_client(configured: OidcSettings, address: str) -> Json:
    """The client's representation, as far as it matters to us."""
    return {
        "clientId": configured.client_id,
        "name": "CodeTether",
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": True,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": configured.password_grant,
        "redirectUris": [f"{address}/oidc/callback/"],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": f"{address}/admin/login/",
            "backchannel.logout.url": f"{address}/oidc/backchannel-logout",
            "backchannel.logout.session.required": "true",
        },
    }


def wanted_mappers(client_id: str) -> Iterator[Json]:
    """Groups with their whole path, and the client itself as the audience of access tokens."""
    everywhere = {f"{token}.token.claim": "true" for token in ("id", "access", "userinfo")}
    groups = {"claim.name": "groups", "full.path": "true", **everywhere}
    audience = {"included.client.audience": client_id, "id.token.claim": "false", "access.token.claim": "true"}
    for name, kind, config in (
        ("codetether groups", "oidc-group-membership-mapper", groups),
        ("codetether audience", "oidc-audience-mapper", audience),
    ):
        yield {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def _client(keycloak: Keycloak, wanted: Json) -> tuple[str, list[str]]:
    """The client's key in the realm, and what was changed; other redirect addresses that it has stay."""
    query = f"clients?clientId={quote(wanted['clientId'], safe='')}"
    found = keycloak.get(query)
    if not found:
        keycloak.post("clients", wanted)
        return str(keycloak.get(query)[0]["id"]), [f"made the client {wanted['clientId']}"]
    has = found[0]
    others = [uri for uri in has.get("redirectUris", []) if uri not in wanted["redirectUris"]]
    merged = _merged(has, {**wanted, "redirectUris": [*others, *wanted["redirectUris"]]})
    if _same(has, merged):
        return str(has["id"]), []
    keycloak.put(f"clients/{has['id']}", merged)
    return str(has["id"]), [f"changed the client {wanted['clientId']}"]


def _roles(keycloak: Keycloak, key: str) -> list[str]:
    has = {role["name"] for role in keycloak.get(f"clients/{key}/roles")}
    missing = [name for name in ROLES if name not in has]
    for name in missing:
        keycloak.post(f"clients/{key}/roles", {"name": name, "description": ROLES[name]})
    return [f"made the role {name}" for name in missing]


def _mappers(keycloak: Keycloak, key: str, client_id: str) -> list[str]:
    path, changes = f"clients/{key}/protocol-mappers/models", []
    known = {mapper["name"]: mapper for mapper in keycloak.get(path)}
    for wanted in wanted_mappers(client_id):
        has = known.get(wanted["name"])
        if has is None:
            keycloak.post(path, wanted)
            changes.append(f"made the mapper {wanted['name']}")
        elif not _same(has, merged := _merged(has, wanted)):
            keycloak.put(f"{path}/{has['id']}", merged)
            changes.append(f"changed the mapper {wanted['name']}")
    return changes


def _merged(has: Mapping[str, Any], wanted: Mapping[str, Any]) -> Json:
    """`has` with what is wanted; objects within are merged alike."""
    merged = dict(has)
    for name, value in wanted.items():
        merged[name] = _merged(merged.get(name) or {}, value) if isinstance(value, dict) else value
    return merged


def _same(has: Mapping[str, Any], merged: Mapping[str, Any]) -> bool:
    """Keycloak keeps redirect addresses as a set."""
    return {**has, "redirectUris": sorted(has.get("redirectUris", []))} == {
        **merged, "redirectUris": sorted(merged.get("redirectUris", [])),
    }  # fmt: skip


def _good(answer: ProviderAnswer, what: str) -> ProviderAnswer:
    if answer.status == 403:
        raise InvalidError(f"Keycloak forbids {what}: the administrator needs the role manage-clients of the realm.")
    if not 200 <= answer.status < 300:
        raise ProviderError(f"Keycloak answers {what} with {answer.status}.")
    return answer
