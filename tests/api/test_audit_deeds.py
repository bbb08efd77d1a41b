"""What people do stands in the audit trail, together with what they did; what workers and tasks do does not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import ApiToken, Membership, User
from apps.accounts.permissions import Role
from apps.audit.models import AuditEntry
from apps.audit.verifying import verify
from tests.api.bad_input import ROUTES as GOOD
from tests.api.conftest import Api
from tests.api.good_calls import Place
from tests.api.test_bad_input import furnish
from tests.factories import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(cast: Cast) -> Place:
    return furnish(cast)


def told_since(seq: int) -> list[tuple[str, str, str]]:
    """(action, who, what) of the entries after that one."""
    entries = AuditEntry.objects.filter(seq__gt=seq).order_by("seq")
    return [(entry.action, entry.actor, entry.target.partition(":")[0]) for entry in entries]


def head() -> int:
    newest = AuditEntry.objects.order_by("-seq").values_list("seq", flat=True)
    return newest.first() or 0


DEEDS = [
    ("POST /v1/users/api-keys", ["token.create"]),
    ("POST /v1/users/api-keys/{token_id}/rotate", ["token.rotate"]),
    ("DELETE /v1/users/api-keys/{token_id}", ["token.revoke"]),
    ("POST /v1/workspaces/{workspace}/invitations", ["invitation.create"]),
    ("DELETE /v1/workspaces/{workspace}/invitations/{invitation_id}", ["invitation.revoke"]),
    ("PATCH /v1/workspaces/{workspace}/members/{user_id}", ["member.change"]),
    ("DELETE /v1/workspaces/{workspace}/members/{user_id}", ["member.remove"]),
    ("POST /v1/opencode/tasks/{task_id}/cancel", ["task.cancel"]),
    ("POST /v1/opencode/tasks/{task_id}/requeue", ["task.requeue"]),
    ("PUT /v1/queue/limits", ["limit.set"]),
    ("POST /v1/queue/pause", ["queue.pause"]),
    ("POST /v1/queue/resume", ["queue.resume"]),
    ("PATCH /v1/opencode/codebases/{codebase_id}", ["codebase.change"]),
    ("PATCH /v1/agents/remote/{name}", ["remote_agent.change"]),
    ("DELETE /v1/agents/remote/{name}", ["remote_agent.change"]),
    ("POST /a2a/rest/tasks/{task_id}/pushNotificationConfigs", ["push.set"]),
    ("DELETE /a2a/rest/tasks/{task_id}/pushNotificationConfigs/{config_id}", ["push.remove"]),
    ("GET /v1/audit/export", ["export"]),
    ("POST /v1/opencode/tasks", []),
    ("GET /v1/opencode/tasks/{task_id}", []),
    ("POST /v1/worker/tasks/claim", []),
    ("POST /v1/worker/tasks/{task_id}/events", []),
    ("POST /a2a/rest/message:send", []),
]
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /v1/agents/remote/{name}": {"enabled": False},
    "PUT /v1/queue/limits": {"kind": "workspace", "most": 5},
    "POST /a2a/rest/message:send": {
        "message": {"role": "ROLE_USER", "messageId": "m9", "parts": [{"text": "hello"}]},
        "configuration": {"returnImmediately": True},
    },
}


@pytest.mark.parametrize(("route", "actions"), DEEDS)
def test_deeds_are_written_down_with_who_did_them(admin: Api, place: Place, route: str, actions: list[str]) -> None:
    method, path = route.split(" ")
    good = GOOD[route].good
    body = BODIES.get(route) or (good(place) if good is not None else None)
    before = head()
    answer = admin.call(method, place.fill(path), json=body)
    assert answer.status_code == 200, answer.text
    assert [(action, who) for action, who, _ in told_since(before)] == [(action, "a admin") for action in actions]


def test_a_removed_codebase_is_one_entry_which_names_the_tasks_that_ended(admin: Api, cast: Cast) -> None:
    shop = cast.codebase()
    tasks = {str(cast.task(codebase_id=shop.id).id) for _ in range(2)}
    before = head()
    assert admin.delete(f"/v1/opencode/codebases/{shop.id}").status_code == 200
    assert told_since(before) == [("codebase.remove", "a admin", "codebase")]
    assert set(AuditEntry.objects.get(action="codebase.remove").details["cancelled"]) == tasks


def test_a_refused_deed_leaves_no_entry(admin: Api, cast: Cast) -> None:
    task = cast.task()
    assert admin.post(f"/v1/opencode/tasks/{task.id}/cancel").status_code == 200
    before = head()
    assert admin.post(f"/v1/opencode/tasks/{task.id}/cancel").status_code == 409
    assert told_since(before) == []


def test_no_entry_holds_a_secret(admin: Api, cast: Cast, place: Place) -> None:
    made = admin.post("/v1/users/api-keys", {"name": "ci"}).json()
    invited = admin.post("/v1/workspaces/default/invitations", {"role": "viewer"}).json()
    told = json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))
    assert made["token"] not in told
    assert invited["token"] not in told
    assert ApiToken.objects.get(name="ci").digest not in told


def test_whoever_accepts_an_invitation_is_named(api: Api, cast: Cast, admin: Api) -> None:
    secret = admin.post("/v1/workspaces/default/invitations", {"role": "viewer"}).json()["token"]
    before = head()
    body = {"token": secret, "username": "newcomer", "password": "a long battery 1"}
    assert api.bearing("").post("/v1/invitations/accept", body).status_code == 200
    assert told_since(before) == [
        ("member.add", "newcomer", "user"),
        ("invitation.accept", "newcomer", "invitation"),
    ]


# Signing in ----------------------------------------------------------------------------------------------------------


def signed(**credentials: str) -> Callable[[Api], Any]:
    return lambda api: api.bearing("").post("/v1/auth/login", credentials)


def test_signing_in_and_out_by_rest(api: Api, cast: Cast) -> None:
    cast.user("ada")
    before = head()
    tokens = signed(username="ada", password="correct horse")(api).json()
    assert api.bearing(tokens["access_token"]).post("/v1/auth/logout").status_code == 200
    assert [one[:2] for one in told_since(before)] == [("sign_in", "ada"), ("sign_out", "ada")]


@pytest.mark.parametrize(("username", "shown"), [("ada", "ada"), ("my-password", "nobody known")])
def test_a_wrong_password_is_written_down_but_no_name_that_nobody_has(
    api: Api, cast: Cast, username: str, shown: str
) -> None:
    cast.user("ada")
    assert signed(username=username, password="wrong")(api).status_code == 401
    entry = AuditEntry.objects.get(outcome="refused")
    assert (entry.action, entry.actor, entry.target) == ("sign_in", shown, "password")


def test_the_console_tells_who_came_who_did_not_and_who_left(cast: Cast) -> None:
    cast.user("ada", Role.ADMIN, is_staff=True)
    client, door = Client(), reverse("admin:login")
    before = head()
    for password in ("wrong", "correct horse"):
        client.post(door, {"username": "ada", "password": password, "next": "/admin/"})
    client.post(reverse("admin:logout"))
    assert [one[:2] for one in told_since(before)] == [("sign_in", "ada"), ("sign_in", "ada"), ("sign_out", "ada")]
    assert list(AuditEntry.objects.filter(seq__gt=before).order_by("seq").values_list("outcome", flat=True)) == [
        "refused",
        "done",
        "done",
    ]


# Reading it ----------------------------------------------------------------------------------------------------------


def test_the_trail_is_read_in_pages_and_by_what_is_asked_for(admin: Api, cast: Cast) -> None:
    for _ in range(3):
        admin.post(f"/v1/opencode/tasks/{cast.task().id}/cancel")
    first = admin.get("/v1/audit", action="task.cancel", limit=2).json()
    rest = admin.get("/v1/audit", action="task.cancel", limit=2, before=first["next_before"]).json()
    numbers = [entry["seq"] for page in (first, rest) for entry in page["entries"]]
    assert len(numbers) == 3
    assert numbers == sorted(numbers, reverse=True)
    assert rest["next_before"] is None
    target = first["entries"][0]["target"]
    assert len(admin.get("/v1/audit", target=target).json()["entries"]) == 1
    assert admin.get("/v1/audit", since="2100-01-01").json()["entries"] == []


def test_the_export_is_whole_and_ends_with_itself(admin: Api, cast: Cast) -> None:
    cast.user("ada")
    exported = admin.get("/v1/audit/export")
    assert exported.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, head() + 1))
    assert (lines[-1]["action"], lines[-1]["actor"]) == ("export", "a admin")
    assert admin.get("/v1/audit/export", after=lines[-1]["seq"]).text.count("\n") == 1


def test_verifying_tells_the_head_and_that_all_is_whole(admin: Api, cast: Cast) -> None:
    verified = admin.get("/v1/audit/verify").json()
    assert (verified["whole"], verified["finding"], verified["seq"]) == (head(), None, head())
    assert verify(cast.workspace.id) == (head(), None)


def test_another_workspaces_trail_is_not_shown(admin: Api, cast: Cast) -> None:
    theirs = admin.bearing(cast.elsewhere().token(Role.ADMIN))
    assert [entry["action"] for entry in theirs.get("/v1/audit").json()["entries"]] == ["token.create"]
    assert theirs.get("/v1/audit/export").text.count("\n") == 2


def staff(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.user("ada", Role.ADMIN, is_staff=True))
    return client


def test_the_page_shows_the_trail_searches_it_and_verifies_it(cast: Cast) -> None:
    cast.token()
    ada, pages = staff(cast), reverse("admin:audit_auditentry_changelist")
    token = ApiToken.objects.get()
    assert "token.create" in ada.get(pages).text
    for query in ({"q": f"token:{token.pk}"}, {"action": "token.create"}, {"outcome": "done", "period": "hour"}):
        assert len(ada.get(pages, query).context["cl"].result_list) == 1, query
    assert len(ada.get(pages, {"outcome": "refused"}).context["cl"].result_list) == 0
    ada.post(reverse("admin:audit_auditentry_verify_chains"), {"_form_submitted": "1"})
    assert f"all {head()} entries are as they were written" in ada.get(pages).text
    entry = AuditEntry.objects.get(action="token.create")
    page = reverse("admin:audit_auditentry_change", args=[entry.pk])
    assert bytes(entry.hash).hex() in ada.get(page).text
    assert ada.post(page, {"actor": "eve"}).status_code == 403


def test_what_is_changed_by_hand_names_the_row_and_its_fields(cast: Cast) -> None:
    ada = staff(cast)
    before = head()
    page = reverse("admin:accounts_workspace_change", args=[cast.workspace.pk])
    assert ada.post(page, {"name": "Our house"}).status_code == 302
    entry = AuditEntry.objects.get(seq__gt=before)
    assert (entry.action, entry.actor, entry.target) == ("row.change", "ada", f"workspace:{cast.workspace.pk}")
    assert entry.details["how"] == "changed"
    assert entry.details["fields"] == ["Name"]


def test_a_persons_password_that_is_changed_by_hand_is_told_without_it(cast: Cast) -> None:
    root, client = User.objects.create_superuser("root", password="correct horse"), Client()
    Membership.objects.create(user=root, workspace=cast.workspace, role=Role.ADMIN)
    client.force_login(root)
    bo = cast.user("bo")
    before = head()
    form = {"usable_password": "true", "password1": "a long battery 1", "password2": "a long battery 1"}
    client.post(reverse("admin:auth_user_password_change", args=[bo.pk]), form)
    entry = AuditEntry.objects.get(seq__gt=before)
    assert (entry.action, entry.target, entry.details["fields"]) == ("row.change", f"user:{bo.pk}", ["password"])
    assert "battery" not in json.dumps(entry.details)
