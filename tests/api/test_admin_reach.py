"""The console shows each person their workspaces' rows only, and lets nobody in who may not come in."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.invitations import invitation_create
from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.accounts.tokens import token_create
from apps.federation.models import RemoteAgent
from apps.tasks.models import Task
from apps.tasks.services import limit_set
from apps.workers.services import Registration, worker_register
from tests.factories import Cast


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def elsewhere(cast: Cast) -> Cast:
    return cast.elsewhere()


def rows_of(cast: Cast) -> dict[str, object]:
    """One row of each kind, by the name of its admin pages."""
    registration = Registration(worker_id="secret-w", name="secret worker")
    return {
        "tasks_task": cast.task("A secret task", codebase_id=cast.codebase("secret codebase").id),
        "codebases_codebase": cast.codebase("secret shop"),
        "tasks_queuelimit": limit_set(
            workspace_id=cast.workspace.id, kind="key", key="secret key", most=1, by="secret person"
        ),
        "federation_remoteagent": RemoteAgent.objects.create(workspace=cast.workspace, name="secret-cousin"),
        "workers_worker": worker_register(workspace_id=cast.workspace.id, registration=registration),
        "accounts_apitoken": token_create(workspace=cast.workspace, name="secret token", role=Role.VIEWER)[0],
        "accounts_membership": cast.user("secret-person").memberships.get(),
        "accounts_invitation": invitation_create(
            workspace_id=cast.workspace.id, role=Role.VIEWER, email="secret@example.com", made_by="secret person"
        )[0],
        "accounts_workspace": cast.workspace,
    }


LISTS = (
    "tasks_task",
    "codebases_codebase",
    "workers_worker",
    "tasks_queuelimit",
    "federation_remoteagent",
    "accounts_apitoken",
    "accounts_membership",
    "accounts_invitation",
    "accounts_workspace",
)


@pytest.mark.parametrize("pages", [*LISTS, "accounts_user"])
def test_superuser_opens_every_list(cast: Cast, pages: str) -> None:
    rows_of(cast)
    root = User.objects.create_superuser("root")
    assert signed_in(root).get(reverse(f"admin:{pages}_changelist")).status_code == 200


@pytest.mark.parametrize("pages", LISTS)
def test_superuser_opens_every_page(cast: Cast, pages: str) -> None:
    row = rows_of(cast)[pages]
    root = User.objects.create_superuser("root")
    assert signed_in(root).get(reverse(f"admin:{pages}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("pages", LISTS)
def test_another_workspaces_rows_are_not_listed(cast: Cast, elsewhere: Cast, pages: str) -> None:
    rows_of(elsewhere)
    ada = signed_in(cast.user("ada", Role.ADMIN, is_staff=True))
    answer = ada.get(reverse(f"admin:{pages}_changelist"))
    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert elsewhere.workspace.slug not in answer.text


@pytest.mark.parametrize("pages", LISTS)
def test_another_workspaces_page_is_as_if_it_were_not_there(cast: Cast, elsewhere: Cast, pages: str) -> None:
    row = rows_of(elsewhere)[pages]
    ada = signed_in(cast.user("ada", Role.ADMIN, is_staff=True))
    answer = ada.get(reverse(f"admin:{pages}_change", args=[row.pk]))
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


@pytest.mark.parametrize("part", ["tail", "say"])
def test_another_workspaces_task_cannot_be_followed_or_spoken_to(cast: Cast, elsewhere: Cast, part: str) -> None:
    task = elsewhere.task()
    ada = signed_in(cast.user("ada", Role.ADMIN, is_staff=True))
    url = reverse(f"admin:tasks_task_{part}", args=[task.pk])
    answer = ada.post(url, {"verb": "message", "message": "hi"}) if part == "say" else ada.get(url)
    assert answer.status_code == 404
    assert Task.objects.get(pk=task.pk).last_seq == 1


def test_filter_by_another_workspaces_codebase_finds_nothing(cast: Cast, elsewhere: Cast) -> None:
    codebase = elsewhere.codebase("secret codebase")
    elsewhere.task("A secret task", codebase_id=codebase.id)
    cast.task(codebase_id=cast.codebase().id)
    ada = signed_in(cast.user("ada", is_staff=True))
    answer = ada.get(reverse("admin:tasks_task_changelist"), {"codebase": codebase.id})
    assert "secret" not in answer.text


def test_search_finds_only_what_the_person_may_see(cast: Cast, elsewhere: Cast) -> None:
    elsewhere.task("A secret till")
    cast.task("A plain till")
    answer = signed_in(cast.user("ada", is_staff=True)).get(reverse("admin:search"), {"s": "till"})
    assert "A plain till" in answer.text
    assert "secret" not in answer.text


def test_overview_of_an_unknown_workspace_is_the_persons_own(cast: Cast, elsewhere: Cast) -> None:
    elsewhere.task("A secret task")
    ada = signed_in(cast.user("ada", is_staff=True))
    answer = ada.get(reverse("admin:index"), {"workspace": elsewhere.workspace.slug})
    assert answer.context["workspace"] == cast.workspace
    assert "secret" not in answer.text


def test_member_of_two_workspaces_chooses_and_sees_whose_each_row_is(cast: Cast, elsewhere: Cast) -> None:
    ada = cast.user("ada", is_staff=True)
    ada.memberships.create(workspace=elsewhere.workspace, role=Role.VIEWER)
    elsewhere.task("Far away")
    client = signed_in(ada)
    assert "Far away" in client.get(reverse("admin:index"), {"workspace": elsewhere.workspace.slug}).text
    assert elsewhere.workspace.name in client.get(reverse("admin:tasks_task_changelist")).text


def test_person_without_a_workspace_is_told_what_to_do(cast: Cast) -> None:
    lone = User.objects.create_user("lone", is_staff=True)
    assert "You are in no workspace yet" in signed_in(lone).get(reverse("admin:index")).text


ACCESS_PAGES = [
    "accounts_apitoken",
    "accounts_invitation",
    "accounts_membership",
    "accounts_workspace",
    "accounts_user",
]


@pytest.mark.parametrize("pages", ACCESS_PAGES)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.WORKER])
def test_access_pages_are_for_admins(cast: Cast, pages: str, role: Role) -> None:
    client = signed_in(cast.user("otto", role, is_staff=True))
    assert client.get(reverse(f"admin:{pages}_changelist")).status_code == 403


def test_users_are_for_superusers(cast: Cast) -> None:
    client = signed_in(cast.user("ada", Role.ADMIN, is_staff=True))
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 403
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403


def test_who_is_not_signed_in_gets_the_login_page(cast: Cast) -> None:
    answer = Client().get(reverse("admin:tasks_task_changelist"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


def test_who_is_no_staff_is_refused(cast: Cast) -> None:
    answer = signed_in(User.objects.create_user("nobody")).get(reverse("admin:tasks_task_changelist"))
    assert answer.status_code == 403


def test_first_admin_signs_in_with_username_and_password(cast: Cast) -> None:
    User.objects.create_superuser("root", password="correct horse")
    client = Client()
    wrong = client.post(reverse("admin:login"), {"username": "root", "password": "wrong"})
    assert wrong.status_code == 200
    answer = client.post(reverse("admin:login"), {"username": "root", "password": "correct horse", "next": "/admin/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_other_packages_tables_are_out_of_the_way(cast: Cast) -> None:
    root = signed_in(User.objects.create_superuser("root"))
    for url in ("/admin/django_celery_beat/periodictask/", "/admin/auth/group/"):
        assert root.get(url).status_code == 404
