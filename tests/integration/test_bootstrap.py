"""The first start: one admin, one token, kept where only the owner reads them."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.accounts.models import ApiToken, User
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials, authenticate
from apps.accounts.services import installation_prepare, local_worker_token
from apps.accounts.tokens import token_revoke
from tests.factories import Cast


def bearer(token: str) -> Credentials:
    return Credentials(authorization=f"Bearer {token}")


def test_first_start_makes_one_admin_and_writes_the_login_privately(cast: Cast, tmp_path: Path) -> None:
    login, created = installation_prepare(data_dir=tmp_path)
    assert created
    assert login is not None
    path = tmp_path / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"admin_username", "admin_password", "token"}
    assert User.objects.get().check_password(login.admin_password)
    assert authenticate(bearer(login.token)).role is Role.ADMIN


def test_second_start_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    first, _ = installation_prepare(data_dir=tmp_path)
    again, created = installation_prepare(data_dir=tmp_path)
    assert (again, created) == (first, False)
    assert User.objects.count() == 1


def test_local_worker_may_only_do_what_workers_do(cast: Cast, tmp_path: Path) -> None:
    token = local_worker_token(data_dir=tmp_path)
    assert authenticate(bearer(token)).scopes == {Scope.WORKER}
    assert local_worker_token(data_dir=tmp_path) == token


def test_revoked_worker_token_is_replaced(cast: Cast, tmp_path: Path) -> None:
    token = local_worker_token(data_dir=tmp_path)
    token_revoke(token=ApiToken.objects.get())
    assert local_worker_token(data_dir=tmp_path) != token


def test_command_tells_the_login_as_json(
    cast: Cast, tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    call_command("bootstrap", "--json")
    assert {"created", "admin_password", "token", "worker_token"} <= set(json.loads(capsys.readouterr().out))
