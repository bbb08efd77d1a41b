"""The settings of sign-on: what is refused at the start, and what the maps of roles and groups give."""

from typing import Any

import pytest

from apps.accounts.oidc.config import OidcSettings
from apps.accounts.oidc.grants import access_by, rules_of
from apps.accounts.permissions import Role
from codetether import env

GOOD = {"OIDC_ISSUER": "https://sso.example.com/realms/shop", "OIDC_CLIENT_ID": "ct"}


def load(**said: str) -> OidcSettings:
    found = env.load(GOOD | said).oidc
    assert found is not None
    return found


def test_nothing_said_is_nothing_configured() -> None:
    assert env.load({}).oidc is None


def test_keycloaks_variables_make_its_issuer() -> None:
    said = {"KEYCLOAK_URL": "https://sso.example.com/", "KEYCLOAK_REALM": "shop", "KEYCLOAK_CLIENT_ID": "ct"}
    found = env.load(said).oidc
    assert found is not None
    assert (found.issuer, found.name, found.audiences) == ("https://sso.example.com/realms/shop", "Keycloak", ("ct",))


def test_the_secret_is_not_in_what_is_shown() -> None:
    assert "s3cret" not in repr(load(OIDC_CLIENT_SECRET="s3cret"))


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID"),
        ({"KEYCLOAK_URL": "https://a"}, "KEYCLOAK_REALM"),
        ({"KEYCLOAK_URL": "https://a", "KEYCLOAK_REALM": "r"}, "one of them"),
        ({"OIDC_ISSUER": "http://sso.example.com"}, "A2A_OUTBOUND_ALLOWED"),
        ({"OIDC_ISSUER": "sso.example.com"}, "no address"),
        ({"OIDC_ROLE_MAP": "admin"}, "NAME=GRANT"),
        ({"OIDC_ROLE_MAP": "admin=god"}, "god"),
        ({"OIDC_ROLE_MAP": "admin=admin@"}, "admin@"),
        ({"OIDC_GROUP_MAP": "/{workspace}/{workspace}=viewer"}, "OIDC_GROUP_MAP"),
        ({"OIDC_LEEWAY": "301"}, "OIDC_LEEWAY"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(said: dict[str, str], named: str) -> None:
    with pytest.raises(env.SettingError, match=named):
        env.load(GOOD | said)


def test_a_listed_host_may_be_without_tls() -> None:
    assert load(OIDC_ISSUER="http://keycloak:8080/realms/x", A2A_OUTBOUND_ALLOWED="keycloak").is_plain


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"realm_access": {"roles": ["codetether-viewer"]}}, {"default": "viewer"}),
        ({"resource_access": {"ct": {"roles": ["codetether-admin"]}}}, {"default": "admin"}),
        ({"resource_access": {"another": {"roles": ["codetether-admin"]}}}, {}),
        ({"roles": "codetether-viewer codetether-operator"}, {"default": "operator"}),
        ({"groups": ["/team-x/operators", "/team-y/viewers", "/a/b/admins", "team-z/admins"]},
         {"team-x": "operator", "team-y": "viewer"}),
        ({"realm_access": "codetether-admin", "groups": [7, None, {"a": 1}]}, {}),
    ],
)  # fmt: skip
def test_claims_give_roles(claims: dict[str, Any], roles: dict[str, str]) -> None:
    assert load().access_of(claims).roles == roles


def test_what_several_tokens_say_counts_together() -> None:
    access = load().access_of({"roles": ["codetether-viewer"]}, {"realm_access": {"roles": ["codetether-admin"]}})
    assert (access.roles, access.is_staff, access.is_superuser) == ({"default": Role.ADMIN}, True, False)


def test_a_claim_may_have_dots_in_its_own_name() -> None:
    found = load(OIDC_ROLE_CLAIMS="https://example.com/roles", OIDC_ROLE_MAP="root=superuser,ops=operator@team-x")
    access = found.access_of({"https://example.com/roles": ["root", "ops"]})
    assert (access.roles, access.is_staff, access.is_superuser) == ({"team-x": "operator"}, True, True)


def test_a_name_is_matched_whole_and_as_it_is_spelled() -> None:
    rules = rules_of("OIDC_ROLE_MAP", "a.b=viewer")
    assert not access_by(rules, ["axb", "a.bc", "A.B"]).roles
    assert access_by(rules, ["a.b"]).roles
