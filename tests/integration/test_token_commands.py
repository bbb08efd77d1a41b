"""`manage.py create_token` and its kin: the secret alone on standard output, and words for what is wrong."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials, Principal, authenticate
from apps.core.errors import UnauthenticatedError
from tests.factories import Cast


def said(command: str, *words: str) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def principal_of(secret: str) -> Principal:
    return authenticate(Credentials(f"Bearer {secret}"))


def test_new_token_is_what_was_asked_for(cast: Cast) -> None:
    secret = said("create_token", "build-1", "--role", "worker", "--codebase", "shop", "--codebase", "till",
                  "--expires", "90d")  # fmt: skip
    principal = principal_of(secret)
    assert (principal.name, principal.role, principal.codebases) == ("build-1", Role.WORKER, {"shop", "till"})
    assert principal.ends_at is not None


def test_scopes_and_workspace_are_chosen(cast: Cast) -> None:
    far = cast.elsewhere().workspace
    principal = principal_of(said("create_token", "ci", "--scope", "tasks:read", "--workspace", far.slug))
    assert (principal.workspace_id, principal.scopes) == (far.id, {Scope.TASKS_READ})


@pytest.mark.parametrize(
    "words", [["--workspace", "nowhere"], ["--expires", "soon"], ["--expires", "2020-01-01"], ["--user", "nobody"],
              ["--codebase", "shop"], ["--expires", "2030-02-31T00:00:00Z"]]
)  # fmt: skip
def test_what_cannot_be_is_said_and_nothing_is_made(cast: Cast, words: list[str]) -> None:
    with pytest.raises(CommandError):
        said("create_token", "ci", *words)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("name", ["id", "hint"])
def test_token_is_rotated_and_revoked_by_its_id_or_hint(cast: Cast, name: str) -> None:
    old = said("create_token", "ci")
    new = said("rotate_token", str(getattr(ApiToken.objects.get(), name)))
    assert principal_of(new).name == "ci"
    said("revoke_token", str(getattr(ApiToken.objects.get(), name)))
    for secret in (old, new):
        with pytest.raises(UnauthenticatedError):
            principal_of(secret)


@pytest.mark.parametrize("which", ["ct_nobody", "x", "00000000-0000-0000-0000-000000000000"])
def test_unknown_token_is_said(cast: Cast, which: str) -> None:
    for command in ("rotate_token", "revoke_token"):
        with pytest.raises(CommandError, match="list_tokens"):
            said(command, which)


def test_list_has_no_secrets(cast: Cast) -> None:
    secret = said("create_token", "ci")
    shown = said("list_tokens"), said("list_tokens", "--json")
    assert all("ci" in text and secret not in text for text in shown)
    facts: dict[str, Any] = json.loads(shown[1])
    assert (facts["status"], facts["made_by"]) == ("valid", "manage.py create_token")
