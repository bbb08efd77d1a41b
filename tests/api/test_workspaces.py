"""Workspaces by the REST face: choosing one, members, and invitations."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.members import member_remove
from apps.accounts.models import ApiToken, Invitation, Membership, User
from apps.accounts.permissions import Role
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

MINE = "/v1/workspaces"
ACCEPT = "/v1/invitations/accept"
HERE = f"{MINE}/default"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# Choosing ------------------------------------------------------------------------------------------------------------


def test_person_works_in_each_of_their_workspaces(api: Api, cast: Cast) -> None:
    far, ada = cast.elsewhere(), cast.user("ada", Role.VIEWER)
    ada.memberships.create(workspace=far.workspace, role=Role.ADMIN)
    far.task("Far away")
    browser = browser_of(ada)
    mine = browser.get(MINE).json()
    assert [one["role"] for one in mine["workspaces"]] == ["viewer", "admin"]
    assert mine["current"] == str(cast.workspace.id)
    for name in (far.workspace.slug, str(far.workspace.id)):
        chosen = {"X-Workspace": name}
        assert browser.get("/v1/auth/me", headers=chosen).json()["role"] == "admin"
        found = browser.get("/v1/opencode/tasks", headers=chosen).json()["tasks"]
        assert [task["title"] for task in found] == ["Far away"]


@pytest.mark.parametrize("name", ["nowhere", "00000000-0000-0000-0000-000000000000", None])
def test_naming_a_workspace_that_one_is_not_in_is_refused(api: Api, cast: Cast, name: str | None) -> None:
    """Whether there is such a workspace or not."""
    headers = {"X-Workspace": name or cast.elsewhere().workspace.slug}
    for path in ("/v1/opencode/tasks", "/v1/worker/connected"):
        assert code(api.call("GET", path, headers=headers)) == (403, "workspace_forbidden")
    refused = browser_of(cast.user()).get("/v1/opencode/tasks", headers=headers)
    assert code(refused) == (403, "workspace_forbidden")


def test_address_and_header_name_the_same_workspace_or_none_is_chosen(api: Api, cast: Cast) -> None:
    ada = {"Authorization": f"Bearer {api.token}"}
    mine, path = cast.workspace.slug, "/v1/monitor/export/json?of=tasks&workspace="
    assert api.call("GET", path + mine, headers={**ada, "X-Workspace": mine}).status_code == 200
    contrary = api.call("GET", path + "other", headers={**ada, "X-Workspace": mine})
    assert code(contrary) == (400, "contradiction")
    assert code(api.call("GET", path + "other", headers=ada)) == (403, "workspace_forbidden")


def test_tokens_own_workspace_may_be_named(api: Api, cast: Cast) -> None:
    headers = {"X-Workspace": cast.workspace.slug}
    made = api.call("POST", "/v1/opencode/tasks", json={"title": "t", "prompt": "p"}, headers=headers)
    assert made.status_code == 200


def test_persons_token_stays_in_its_workspace(api: Api, cast: Cast) -> None:
    far, ada = cast.elsewhere(), cast.user("ada")
    ada.memberships.create(workspace=far.workspace, role=Role.ADMIN)
    hers = api.bearing(cast.token(user=ada))
    refused = hers.call("POST", "/v1/opencode/tasks", json={"title": "t", "prompt": "p"}, headers={
        "X-Workspace": far.workspace.slug
    })  # fmt: skip
    assert code(refused) == (403, "workspace_forbidden")
    assert not Task.objects.exists()
    assert [one["slug"] for one in hers.get(MINE).json()["workspaces"]] == [cast.workspace.slug]


# Members -------------------------------------------------------------------------------------------------------------


def test_members_are_listed_changed_and_removed(admin: Api, cast: Cast) -> None:
    vera = cast.user("vera", Role.VIEWER)
    url = f"{HERE}/members/{vera.pk}"
    assert [one["username"] for one in admin.get(f"{HERE}/members").json()["members"]] == ["vera"]
    assert admin.patch(url, {"role": "operator"}).json()["member"]["role"] == "operator"
    assert admin.get(url).json()["role"] == "operator"
    assert admin.delete(url).json()["success"] is True
    assert not Membership.objects.exists()


def test_removed_members_tokens_end(admin: Api, cast: Cast) -> None:
    vera = cast.user("vera", Role.VIEWER)
    hers = admin.bearing(cast.token(Role.VIEWER, user=vera))
    assert hers.get("/v1/auth/me").status_code == 200
    admin.delete(f"{HERE}/members/{vera.pk}")
    assert hers.get("/v1/auth/me").status_code == 401


def test_last_admin_stays_one(admin: Api, cast: Cast) -> None:
    ada = cast.user("ada", Role.ADMIN)
    url = f"{HERE}/members/{ada.pk}"
    for refused in (admin.delete(url), admin.patch(url, {"role": "viewer"})):
        assert code(refused) == (409, "last_admin")
    assert Membership.objects.get().role == Role.ADMIN
    cast.user("bob", Role.ADMIN)
    assert admin.patch(url, {"role": "viewer"}).status_code == 200


def test_admin_whose_account_has_ended_is_none(admin: Api, cast: Cast) -> None:
    ada = cast.user("ada", Role.ADMIN)
    cast.user("gone", Role.ADMIN, is_active=False)
    assert code(admin.delete(f"{HERE}/members/{ada.pk}")) == (409, "last_admin")


def test_nobody_gives_or_takes_a_role_above_their_own(admin: Api, cast: Cast) -> None:
    narrow = admin.bearing(cast.token(Role.ADMIN, scopes=["admin", "tasks:read", "codebases:read", "sessions:read"]))
    vera, ada = cast.user("vera", Role.VIEWER), cast.user("ada", Role.ADMIN)
    cast.user("bob", Role.ADMIN)
    calls = [
        narrow.patch(f"{HERE}/members/{vera.pk}", {"role": "operator"}),
        narrow.patch(f"{HERE}/members/{ada.pk}", {"role": "viewer"}),
        narrow.delete(f"{HERE}/members/{ada.pk}"),
        narrow.post(f"{HERE}/invitations", {"role": "admin"}),
    ]
    assert {code(answer) for answer in calls} == {(403, "forbidden")}
    assert sorted(Membership.objects.values_list("role", flat=True)) == ["admin", "admin", "viewer"]
    assert not Invitation.objects.exists()


def test_workspace_without_an_admin_loses_a_member(cast: Cast) -> None:
    """As one of tokens alone; else nobody could ever leave it."""
    member_remove(member=cast.user("vera", Role.VIEWER).memberships.get())
    assert not Membership.objects.exists()


def test_address_of_another_workspace_is_as_if_it_were_not_there(admin: Api, cast: Cast) -> None:
    far = cast.elsewhere()
    for name in (far.workspace.slug, str(far.workspace.id), "nowhere"):
        assert admin.get(f"{MINE}/{name}/members").status_code == 404
    assert admin.get(f"{MINE}/{cast.workspace.id}/members").status_code == 200


# Invitations ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def invited(admin: Api) -> str:
    """The secret of an invitation."""
    return str(admin.post(f"{HERE}/invitations", {"role": "operator", "email": "eve@example.com"}).json()["token"])


def test_newcomer_gets_an_account_and_the_role(admin: Api, invited: str) -> None:
    said = {"token": invited, "username": "eve", "password": "correct horse battery"}
    accepted = admin.bearing("").post(ACCEPT, said).json()
    assert (accepted["workspace"], accepted["role"]) == ("default", "operator")
    member = Membership.objects.get()
    assert (member.user.username, member.role, member.user.is_staff) == ("eve", Role.OPERATOR, False)
    assert member.user.check_password("correct horse battery")
    listed = admin.get(f"{HERE}/invitations").json()["invitations"][0]
    assert (listed["status"], listed["accepted_by"], invited in str(listed)) == ("accepted", str(member.user_id), False)


def test_invitation_is_accepted_once(admin: Api, invited: str) -> None:
    for name, status in (("eve", 200), ("mallory", 404)):
        said = {"token": invited, "username": name, "password": "correct horse battery"}
        assert admin.bearing("").post(ACCEPT, said).status_code == status
    assert User.objects.get().username == "eve"


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_invitation_that_has_ended_makes_nobody(admin: Api, invited: str, ended: str) -> None:
    Invitation.objects.update(**{ended: timezone.now() - timedelta(seconds=1)})
    said = {"token": invited, "username": "eve", "password": "correct horse battery"}
    assert code(admin.bearing("").post(ACCEPT, said)) == (404, "invitation_not_found")
    assert not User.objects.exists()


def test_known_name_needs_its_password(admin: Api, cast: Cast, invited: str) -> None:
    User.objects.create_user("eve", password="correct horse")
    wrong = {"token": invited, "username": "eve", "password": "another horse"}
    assert code(admin.bearing("").post(ACCEPT, wrong)) == (401, "unauthenticated")
    assert not Membership.objects.exists()
    assert admin.bearing("").post(ACCEPT, wrong | {"password": "correct horse"}).status_code == 200


@pytest.mark.parametrize("said", [{"username": "eve", "password": "123"}, {"username": "e v e", "password": "x" * 20}])
def test_account_that_cannot_be_is_refused_and_the_offer_stands(admin: Api, invited: str, said: dict[str, str]) -> None:
    assert admin.bearing("").post(ACCEPT, {"token": invited, **said}).status_code == 400
    assert not User.objects.exists()
    assert Invitation.objects.get().accepted_at is None


def test_nobody_and_programs_accept_nothing(admin: Api, cast: Cast, invited: str) -> None:
    assert code(admin.bearing("").post(ACCEPT, {"token": invited})) == (401, "unauthenticated")
    assert code(admin.post(ACCEPT, {"token": invited})) == (403, "forbidden")
    assert not Membership.objects.exists()


def test_member_is_not_made_twice(admin: Api, cast: Cast, invited: str) -> None:
    cast.user("ada", Role.ADMIN)
    said = {"token": invited, "username": "ada", "password": "correct horse"}
    assert code(admin.bearing("").post(ACCEPT, said)) == (409, "member_exists")
    assert (Membership.objects.get().role, Invitation.objects.get().accepted_at) == (Role.ADMIN, None)


def test_invitation_is_taken_back(admin: Api, invited: str) -> None:
    url = f"{HERE}/invitations/{Invitation.objects.get().pk}"
    assert admin.delete(url).status_code == admin.delete(url).status_code == 200
    assert admin.get(f"{HERE}/invitations").json()["invitations"][0]["status"] == "revoked"


def test_no_token_is_made_by_an_invitation(admin: Api, invited: str) -> None:
    before = ApiToken.objects.count()
    admin.bearing("").post(ACCEPT, {"token": invited, "username": "eve", "password": "correct horse battery"})
    assert ApiToken.objects.count() == before
