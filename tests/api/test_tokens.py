"""Tokens by the REST face: what they may hold, how they are rotated, and when they stop."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import ApiToken, Membership
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials, Principal, access_changed, authenticate, forget_tokens, remembered
from apps.accounts.tokens import Rotation, token_create, token_rotate
from apps.core.errors import ConflictError, InvalidError, UnauthenticatedError
from tests.api.conftest import Api
from tests.factories import Cast

KEYS = "/v1/users/api-keys"


def principal_of(secret: str) -> Principal:
    forget_tokens()
    return authenticate(Credentials(f"Bearer {secret}"))


def is_known(secret: str) -> bool:
    try:
        principal_of(secret)
    except UnauthenticatedError:
        return False
    return True


def test_rotated_token_has_a_new_secret_and_the_old_one_ends(admin: Api, cast: Cast) -> None:
    made = admin.post(KEYS, {"name": "ci", "role": "viewer"}).json()
    url = f"{KEYS}/{made['api_key']['id']}"
    rotated = admin.post(f"{url}/rotate").json()
    assert rotated["token"] != made["token"]
    assert (is_known(made["token"]), is_known(rotated["token"])) == (False, True)
    assert admin.get(url).json()["hint"] == rotated["token"][:8]


def test_old_secret_works_through_the_overlap_and_no_longer(cast: Cast) -> None:
    token, old = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    token_rotate(token=token, rotation=Rotation(timedelta(hours=1)))
    assert is_known(old)
    ApiToken.objects.update(previous_until=timezone.now())
    assert not is_known(old)


def test_rotating_twice_ends_the_first_secret(cast: Cast) -> None:
    token, first = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    token, second = token_rotate(token=token, rotation=Rotation(timedelta(hours=1)))
    token_rotate(token=token, rotation=Rotation(timedelta(hours=1)))
    assert (is_known(first), is_known(second)) == (False, True)


@pytest.mark.parametrize("ended", [{"revoked_at": "now"}, {"expires_at": "now"}])
def test_ended_token_is_not_rotated(admin: Api, cast: Cast, ended: dict[str, str]) -> None:
    token, _ = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    ApiToken.objects.filter(pk=token.pk).update(**dict.fromkeys(ended, timezone.now()))
    refused = admin.post(f"{KEYS}/{token.pk}/rotate")
    assert (refused.status_code, refused.json()["code"]) == (409, "token_ended")
    assert ApiToken.objects.get(pk=token.pk).digest == token.digest


def test_of_two_who_rotate_at_once_one_is_refused(cast: Cast) -> None:
    token, _ = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    same = ApiToken.objects.get(pk=token.pk)
    token_rotate(token=token)
    with pytest.raises(ConflictError):
        token_rotate(token=same)


def test_expired_token_gets_a_new_end_with_its_new_secret(cast: Cast) -> None:
    token, _ = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    token.refresh_from_db()
    _, secret = token_rotate(token=token, rotation=Rotation(expires_at=timezone.now() + timedelta(days=1)))
    assert is_known(secret)


def test_nobody_gets_the_secret_of_a_token_that_holds_more(admin: Api, cast: Cast) -> None:
    narrow = admin.bearing(cast.token(Role.ADMIN, scopes=["admin"]))
    cast.token(Role.OPERATOR)
    wide = ApiToken.objects.latest("created_at")
    assert narrow.post(f"{KEYS}/{wide.pk}/rotate").status_code == 403
    assert ApiToken.objects.get(pk=wide.pk).digest == wide.digest


def test_only_a_workers_token_is_bound_to_codebases(admin: Api) -> None:
    before = ApiToken.objects.count()
    refused = admin.post(KEYS, {"name": "n", "role": "operator", "codebases": ["shop"]})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["codebases"])
    assert ApiToken.objects.count() == before


def test_token_says_who_made_it_and_what_became_of_it(admin: Api) -> None:
    made = admin.post(KEYS, {"name": "ci", "role": "worker", "codebases": ["shop"]}).json()["api_key"]
    assert (made["made_by"], made["codebases"], made["status"]) == ("a admin", ["shop"], "valid")
    admin.delete(f"{KEYS}/{made['id']}")
    assert admin.get(f"{KEYS}/{made['id']}").json()["status"] == "revoked"


def test_expired_token_is_not_remembered_past_its_end(cast: Cast) -> None:
    secret = cast.token(expires_at=timezone.now() + timedelta(seconds=0.4))
    assert principal_of(secret).ends_at is not None
    while remembered(Credentials(f"Bearer {secret}")):
        pass  # well within the seconds for which others are remembered
    assert not is_known(secret)


def test_a_persons_token_holds_no_more_than_their_membership(cast: Cast) -> None:
    ada = cast.user("ada", Role.ADMIN)
    secret = cast.token(Role.ADMIN, user=ada)
    assert Scope.ADMIN in principal_of(secret).scopes
    Membership.objects.update(role=Role.VIEWER)
    assert principal_of(secret).scopes == {Scope.TASKS_READ, Scope.CODEBASES_READ, Scope.SESSIONS_READ}
    Membership.objects.all().delete()
    assert not is_known(secret)


@pytest.mark.parametrize("wrong", [{"scopes": ["all"]}, {"expires_at": timezone.now()}, {"codebases": ["x"]}])
def test_what_no_token_can_be_is_refused_wherever_it_is_made(cast: Cast, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        token_create(workspace=cast.workspace, name="n", role=Role.VIEWER, **wrong)
    assert not ApiToken.objects.exists()


def test_every_process_hears_of_a_change(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("apps.accounts.principals.publish", told.append)
    with django_capture_on_commit_callbacks(execute=True):
        access_changed()
    assert [list(one.topics()) for one in told] == [["access"]]
