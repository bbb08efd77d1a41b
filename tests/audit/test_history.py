"""Row history: what rows were, whoever wrote them and however; kept by the database, and never a secret."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.urls import reverse

from apps.a2a.models import PushConfigHistory
from apps.a2a.push import config_create, config_delete
from apps.a2a.push_wish import PushWish
from apps.accounts.members import member_remove, member_set_role
from apps.accounts.models import ApiToken, ApiTokenHistory, Membership, MembershipHistory
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Principal
from apps.accounts.tokens import token_create, token_rotate
from apps.audit.history import deed, states_of
from apps.codebases.models import Codebase, CodebaseHistory, VariableHistory
from apps.codebases.services import CodebaseChange, codebase_change
from apps.codebases.variable_services import NewVariable, variable_set
from apps.core.caller import caller, calls
from apps.core.tenancy import acting, of_workspaces
from apps.tasks.models import QueueLimit, QueueLimitHistory
from apps.tasks.services import limit_set, queue_pause
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def told(history: Any, row_id: object) -> list[tuple[str, dict[str, Any]]]:
    """(what was done, the fields that became others), oldest first."""
    return [(state.what, {name: now for name, _, now in state.changed}) for state in states_of(history, row_id)][::-1]


def test_a_membership_is_told_from_its_beginning_to_its_end(cast: Cast) -> None:
    member = cast.user("ada", Role.VIEWER).memberships.get()
    cast.user("bo", Role.ADMIN)
    member_set_role(member=member, role=Role.OPERATOR)
    row_id = member.pk
    member_remove(member=member)
    made, changed, removed = told(MembershipHistory, row_id)
    assert (made[0], made[1]["role"]) == ("made", "viewer")
    assert changed == ("changed", {"role": "operator"})
    assert removed == ("removed", {})


def test_who_changed_a_codebase_and_what_it_was(cast: Cast) -> None:
    shop = cast.codebase(agent_config={"auto_approve": True})
    calls("192.0.2.7", "req-1")
    caller().name = "ada"
    try:
        change = CodebaseChange(agent_config={"auto_approve": False})
        codebase_change(workspace_id=cast.workspace.id, codebase_id=shop.id, change=change)
    finally:
        calls("", "")
    newest = states_of(CodebaseHistory, shop.id)[0]
    assert (newest.what, newest.by, newest.address) == ("changed", "ada", "192.0.2.7")
    assert newest.changed == [("agent_config", {"auto_approve": True}, {"auto_approve": False})]


@pytest.mark.parametrize("write", ["queryset", "sql"])
def test_no_way_to_write_is_missed(cast: Cast, write: str) -> None:
    shop = cast.codebase()
    if write == "queryset":
        Codebase.objects.filter(pk=shop.pk).update(name="other")
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE codebases_codebase SET name = 'other' WHERE id = %s", [shop.pk])
    assert told(CodebaseHistory, shop.pk)[-1] == ("changed", {"name": "other"})


def test_a_tokens_history_holds_nothing_of_its_secret_and_no_use_of_it(cast: Cast) -> None:
    token, secret = token_create(workspace=cast.workspace, name="ci", role=Role.VIEWER)
    token_rotate(token=token)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=token.created_at)
    kept = list(ApiTokenHistory.objects.filter(pgh_obj_id=token.pk).values())
    assert [row["pgh_label"] for row in kept] == ["insert", "update"]
    text = json.dumps(kept, default=str)
    token.refresh_from_db()
    assert not [part for part in (secret, secret[:8], token.digest, token.hint) if part in text]


def test_a_limits_history_tells_what_operators_did_and_nothing_of_claims(cast: Cast) -> None:
    place = {"workspace_id": cast.workspace.id, "kind": "workspace", "by": "ada"}
    limit = limit_set(**place, most=3)
    assert limit is not None
    cast.held()
    queue_pause(**place, reason="deploy")
    assert QueueLimit.objects.get().held == 1
    newest, *_ = states_of(QueueLimitHistory, limit.pk)
    assert newest.by == "ada"
    changed = [name for _, fields in told(QueueLimitHistory, limit.pk)[1:] for name in fields]
    assert changed == ["most", "changed_by", "paused_at", "reason"]


def test_a_variables_history_holds_no_value(cast: Cast) -> None:
    for kind, value in (("variable", "plain-value-1"), ("secret", "sealed-value-1")):
        new = NewVariable(kind=kind, value=value)
        place = {"workspace_id": cast.workspace.id, "codebase_id": None, "name": "KEY"}
        variable, _ = variable_set(**place, new=new, by="ada")
    kept = list(VariableHistory.objects.filter(pgh_obj_id=variable.pk).values())
    assert [row["kind"] for row in kept] == ["variable", "secret"]
    assert not [part for part in ("plain-value", "sealed-value") if part in json.dumps(kept, default=str)]


def test_who_is_told_of_a_task_is_kept_without_what_opens_the_receiver(cast: Cast) -> None:
    task, ada = cast.task(), Principal("ada", cast.workspace.id, Role.OPERATOR, frozenset(Scope))
    wish = PushWish(
        config_id="c",
        url="https://93.184.216.34/hook/s3cret",
        token="t0ken-of-theirs",
        scheme="",
        credentials="",
        version="1.0",
    )
    config_create(ada, str(task.id), wish)
    config_delete(ada, str(task.id), "c")
    kept = list(PushConfigHistory.objects.filter(task_id=task.id).order_by("pgh_id").values())
    assert [(row["pgh_label"], row["host"]) for row in kept] == [
        ("insert", "93.184.216.34"),
        ("delete", "93.184.216.34"),
    ]
    text = json.dumps(kept, default=str)
    assert not [secret for secret in ("s3cret", "t0ken") if secret in text]


def test_it_can_neither_be_changed_nor_seen_by_others(cast: Cast) -> None:
    shop = cast.codebase()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        CodebaseHistory.objects.all().delete()
    with acting(of_workspaces(cast.elsewhere().workspace.id)):
        assert states_of(CodebaseHistory, shop.id) == []


def test_what_is_undone_has_no_history(cast: Cast) -> None:
    shop = cast.codebase()
    with deed("ada"):
        Codebase.objects.filter(pk=shop.pk).update(name="other")
        transaction.set_rollback(True)
    assert len(states_of(CodebaseHistory, shop.id)) == 1


def test_the_console_shows_it_on_the_rows_page(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.user("ada", Role.ADMIN, is_staff=True))
    member = cast.user("bo", Role.VIEWER).memberships.get()
    member_set_role(member=member, role=Role.OPERATOR)
    history = reverse("admin:accounts_membership_history", args=[member.pk])
    assert history in client.get(reverse("admin:accounts_membership_change", args=[member.pk])).text
    assert "viewer → operator" in client.get(history).text
    foreign = cast.elsewhere()
    theirs = Membership.objects.get(user=foreign.user("cy"))
    assert client.get(reverse("admin:accounts_membership_history", args=[theirs.pk])).status_code == 404
    task = cast.task()
    assert client.get(reverse("admin:tasks_task_history", args=[task.pk])).status_code == 404
