"""Tokens, people and memberships in the console: secrets are shown once, and nobody raises themselves."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.invitations import Guest, invitation_accept
from apps.accounts.models import ApiToken, Invitation, Membership, User, Workspace
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials, authenticate
from apps.accounts.tokens import token_create
from apps.core.errors import NotFoundError, UnauthenticatedError
from tests.factories import Cast

SUBMIT = {"_form_submitted": "on"}


@pytest.fixture
def ada(cast: Cast) -> Client:
    """The browser of a workspace's admin, who is no superuser."""
    client = Client()
    client.force_login(cast.user("ada", Role.ADMIN, is_staff=True))
    return client


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def new_token(cast: Cast, **more: object) -> dict[str, object]:
    return {"name": "ci", "workspace": str(cast.workspace.id), "role": "operator", **more}


def principal_of(secret: str) -> object:
    return authenticate(Credentials(f"Bearer {secret}"))


def test_new_tokens_secret_is_shown_once_and_works(cast: Cast, ada: Client) -> None:
    answer = ada.post(reverse("admin:accounts_apitoken_add"), new_token(cast))
    secret = re.search(r'id="secret">(ct_[\w-]+)<', answer.text)
    assert secret is not None
    assert "no-store" in answer["Cache-Control"]
    assert principal_of(secret[1]).name == "ci"
    token = ApiToken.objects.get()
    for url in (
        reverse("admin:accounts_apitoken_changelist"),
        reverse("admin:accounts_apitoken_change", args=[token.pk]),
    ):
        page = ada.get(url).text
        assert secret[1] not in page
        assert token.digest not in page


def test_scopes_narrow_the_new_token(cast: Cast, ada: Client) -> None:
    ada.post(reverse("admin:accounts_apitoken_add"), new_token(cast, scopes=["tasks:read"]))
    assert ApiToken.objects.get().scopes == [Scope.TASKS_READ]


def test_token_for_another_workspace_is_refused(cast: Cast, ada: Client) -> None:
    answer = ada.post(reverse("admin:accounts_apitoken_add"), new_token(cast.elsewhere()))
    assert answer.status_code == 200
    assert not ApiToken.objects.exists()


def test_revoked_token_is_refused_at_once(cast: Cast, ada: Client) -> None:
    token, secret = token_create(workspace=cast.workspace, name="ci", role=Role.OPERATOR)
    principal_of(secret)
    ada.post(reverse("admin:accounts_apitoken_revoke", args=[token.pk]), SUBMIT)
    with pytest.raises(UnauthenticatedError):
        principal_of(secret)


def test_rotating_shows_the_new_secret_once(cast: Cast, ada: Client) -> None:
    token, old = token_create(workspace=cast.workspace, name="ci", role=Role.OPERATOR)
    answer = ada.post(reverse("admin:accounts_apitoken_rotate", args=[token.pk]), SUBMIT | {"overlap": "0"})
    secret = re.search(r'id="secret">(ct_[\w-]+)<', answer.text)
    assert secret is not None
    assert principal_of(secret[1]).name == "ci"
    with pytest.raises(UnauthenticatedError):
        principal_of(old)


def test_token_bound_to_codebases_is_a_workers(cast: Cast, ada: Client) -> None:
    ada.post(reverse("admin:accounts_apitoken_add"), new_token(cast, codebases="shop,till"))
    assert not ApiToken.objects.exists()
    ada.post(reverse("admin:accounts_apitoken_add"), new_token(cast, codebases="shop,till", role="worker"))
    assert ApiToken.objects.get().codebases == ["shop", "till"]


def test_operator_revokes_nothing(cast: Cast) -> None:
    token, _ = token_create(workspace=cast.workspace, name="ci", role=Role.OPERATOR)
    client = Client()
    client.force_login(cast.user("otto", Role.OPERATOR, is_staff=True))
    assert client.post(reverse("admin:accounts_apitoken_revoke", args=[token.pk]), SUBMIT).status_code == 403
    assert ApiToken.objects.get().revoked_at is None


def test_another_workspaces_token_is_not_revoked(cast: Cast, ada: Client) -> None:
    token, _ = token_create(workspace=cast.elsewhere().workspace, name="theirs", role=Role.OPERATOR)
    assert ada.post(reverse("admin:accounts_apitoken_revoke", args=[token.pk]), SUBMIT).status_code == 403
    assert ApiToken.objects.get().revoked_at is None


def test_token_is_not_edited(cast: Cast, ada: Client) -> None:
    token, _ = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    url = reverse("admin:accounts_apitoken_change", args=[token.pk])
    assert ada.post(url, new_token(cast, role="admin")).status_code == 403
    assert ApiToken.objects.get().role == Role.VIEWER


def test_admin_changes_a_members_role(cast: Cast, ada: Client) -> None:
    member = cast.user("vera", Role.VIEWER).memberships.get()
    ada.post(reverse("admin:accounts_membership_change", args=[member.pk]), {"role": "operator"})
    member.refresh_from_db()
    assert member.role == Role.OPERATOR


def test_last_admin_is_neither_lowered_nor_removed(cast: Cast, ada: Client) -> None:
    own = Membership.objects.get(user__username="ada")
    answer = ada.post(reverse("admin:accounts_membership_change", args=[own.pk]), {"role": "viewer"})
    assert "keeps an admin" in answer.text
    assert ada.post(reverse("admin:accounts_membership_delete", args=[own.pk]), {"post": "yes"}).status_code == 403
    own.refresh_from_db()
    assert own.role == Role.ADMIN


def test_invitations_secret_is_shown_once_and_works_until_it_is_taken_back(cast: Cast, ada: Client) -> None:
    said = {"workspace": str(cast.workspace.pk), "role": "viewer", "email": "", "days": "7"}
    page = ada.post(reverse("admin:accounts_invitation_add"), said)
    secret = re.search(r'id="secret">(cti_[\w-]+)<', page.text)
    assert secret is not None
    assert secret[1] not in ada.get(reverse("admin:accounts_invitation_changelist")).text
    row = Invitation.objects.get()
    ada.post(reverse("admin:accounts_invitation_revoke", args=[row.pk]), SUBMIT)
    with pytest.raises(NotFoundError):
        invitation_accept(secret=secret[1], guest=Guest(username="eve", password="correct horse"))
    assert not User.objects.filter(username="eve").exists()


def test_admin_cannot_join_another_workspace(cast: Cast, ada: Client) -> None:
    far = cast.elsewhere().workspace
    own = User.objects.get(username="ada")
    said = {"user": str(own.pk), "workspace": str(far.pk), "role": "admin"}
    assert ada.post(reverse("admin:accounts_membership_add"), said).status_code == 200
    assert not Membership.objects.filter(workspace=far).exists()


def test_admin_is_not_shown_people_of_other_workspaces(cast: Cast, ada: Client) -> None:
    cast.elsewhere().user("secret-person")
    for name in ("accounts_membership_add", "accounts_apitoken_add"):
        assert "secret-person" not in ada.get(reverse(f"admin:{name}")).text


def test_only_superusers_make_workspaces(cast: Cast, ada: Client, root: Client) -> None:
    said = {"name": "Second", "slug": "second"}
    assert ada.post(reverse("admin:accounts_workspace_add"), said).status_code == 403
    assert not Workspace.objects.filter(slug="second").exists()
    root.post(reverse("admin:accounts_workspace_add"), said)
    assert Workspace.objects.filter(slug="second").exists()


def test_new_users_password_is_hashed(cast: Cast, root: Client) -> None:
    said = {"username": "newcomer", "password1": "correct horse", "password2": "correct horse", "is_staff": "on"}
    root.post(reverse("admin:accounts_user_add"), said | {"usable_password": "true"})
    user = User.objects.get(username="newcomer")
    assert "correct horse" not in user.password
    assert user.check_password("correct horse")


def test_user_made_inactive_loses_their_tokens_at_once(cast: Cast, root: Client) -> None:
    user = cast.user("ada")
    _, secret = token_create(workspace=cast.workspace, name="hers", role=Role.OPERATOR, user=user)
    principal_of(secret)
    root.post(reverse("admin:accounts_user_change", args=[user.pk]), {"username": "ada"})
    with pytest.raises(UnauthenticatedError):
        principal_of(secret)


def test_users_are_not_deleted(cast: Cast, root: Client) -> None:
    user = cast.user("ada")
    assert root.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()
