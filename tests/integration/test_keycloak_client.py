"""`manage.py keycloak_client` against the documented admin API of Keycloak."""

import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.oidc.config import oidc_settings
from codetether import env
from tests.fakes.identity_provider import LOOPBACK
from tests.fakes.keycloak_admin import ADMIN, KeycloakAdmin

SECRET = "made by Keycloak"


@pytest.fixture
def keycloak(settings: Any, tmp_path: Path) -> Iterator[KeycloakAdmin]:
    with KeycloakAdmin() as running:
        said = {"KEYCLOAK_URL": running.url, "KEYCLOAK_REALM": "shop", "KEYCLOAK_CLIENT_ID": "codetether"}
        settings.OIDC = oidc_settings(env.sign_on(said), LOOPBACK)
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        settings.KEYCLOAK_ADMIN = (ADMIN["username"], ADMIN["password"])
        settings.A2A_AGENT_URL, settings.A2A_AGENT_URL_IS_GIVEN = "https://ct.example.com", True
        settings.DATA_DIR = tmp_path
        yield running


def prepared() -> str:
    said = StringIO()
    call_command("keycloak_client", stdout=said)
    return said.getvalue()


def test_the_client_is_made_with_all_that_sign_on_needs(keycloak: KeycloakAdmin, tmp_path: Path) -> None:
    said = prepared()
    ((key, client),) = keycloak.clients.items()
    assert client["redirectUris"] == ["https://ct.example.com/oidc/callback/"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["attributes"]["backchannel.logout.url"] == "https://ct.example.com/oidc/backchannel-logout"
    assert (client["publicClient"], client["directAccessGrantsEnabled"]) == (False, False)
    roles = [role["name"] for role in keycloak.roles[key]]
    assert roles == ["codetether-viewer", "codetether-operator", "codetether-admin"]
    kinds = {mapper["protocolMapper"] for mapper in keycloak.mappers[key].values()}
    assert kinds == {"oidc-group-membership-mapper", "oidc-audience-mapper"}
    kept = tmp_path / "keycloak-client-secret"
    assert (kept.read_text().strip(), stat.S_IMODE(kept.stat().st_mode)) == (SECRET, 0o600)
    assert SECRET not in said
    assert ADMIN["password"] not in said


def test_doing_it_again_changes_nothing(keycloak: KeycloakAdmin) -> None:
    prepared()
    before = keycloak.written
    assert "nothing to change" in prepared()
    assert keycloak.written == before


def test_what_differs_is_mended_and_what_others_added_stays(keycloak: KeycloakAdmin) -> None:
    prepared()
    (client,) = keycloak.clients.values()
    client["redirectUris"].append("https://staging.example.com/oidc/callback/")
    client["attributes"] |= {"pkce.code.challenge.method": "plain", "login_theme": "ours"}
    assert prepared().splitlines()[0] == "changed the client codetether"
    (client,) = keycloak.clients.values()
    assert "https://staging.example.com/oidc/callback/" in client["redirectUris"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["attributes"]["login_theme"] == "ours"


def test_a_wrong_password_is_said_and_nothing_is_written(keycloak: KeycloakAdmin, settings: Any) -> None:
    settings.KEYCLOAK_ADMIN = ("root", "wrong")
    with pytest.raises(CommandError, match="does not let root in"):
        prepared()
    assert not keycloak.written


def test_an_issuer_that_is_no_keycloak_is_said(keycloak: KeycloakAdmin, settings: Any) -> None:
    said = {"OIDC_ISSUER": "https://sso.example.com", "OIDC_CLIENT_ID": "codetether"}
    settings.OIDC = oidc_settings(env.sign_on(said), LOOPBACK)
    with pytest.raises(CommandError, match="KEYCLOAK_URL"):
        prepared()
