"""Variables over REST: admins set them, readers list them, and no secret comes out again."""

from typing import Any

import pytest
from django.db import connection

from apps.accounts.permissions import Role
from apps.audit.models import AuditEntry
from apps.codebases import variable_services
from apps.codebases.models import Variable
from apps.codebases.services import codebase_retire
from apps.codebases.variable_selectors import environments_for
from apps.core.resealing import secrets_reseal
from apps.core.sealing import opened
from apps.core.tenancy import AS_OWNER, acting
from apps.rest import answers
from codetether_sessions.variable_names import refusal_of
from tests.api.conftest import Api
from tests.factories import Cast

WORKSPACE = "/v1/workspace/variables"
SECRET = "correct-horse-battery"


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/v1/opencode/codebases/{cast.codebase('shop').id}/variables"


def everything() -> str:
    """All rows of the tables that have to do with it, as text."""
    with acting(AS_OWNER), connection.cursor() as cursor:
        cursor.execute("SELECT v::text FROM codebases_variable v UNION ALL SELECT e::text FROM audit_auditentry e")
        return "\n".join(row for (row,) in cursor.fetchall())


def test_secret_goes_in_and_never_comes_out(admin: Api, path: str) -> None:
    made = admin.put(f"{path}/NPM_TOKEN", {"value": SECRET, "description": "reads packages", "agent_types": ["build"]})
    answers.VariableSet.model_validate(made.json())
    listed = admin.get(path)
    answers.VariablePage.model_validate(listed.json())
    (shown,) = listed.json()["variables"]
    assert (shown["name"], shown["kind"], shown["value"], shown["agent_types"]) == (
        "NPM_TOKEN", "secret", None, ["build"],
    )  # fmt: skip
    for text in (made.text, listed.text, everything()):
        assert SECRET not in text
    assert opened(Variable.objects.get(), "sealed_value") == SECRET


def test_plain_variable_is_shown(admin: Api, api: Api) -> None:
    admin.put(f"{WORKSPACE}/LOG_LEVEL", {"value": "debug", "kind": "variable"})
    (shown,) = api.get(WORKSPACE).json()["variables"]
    assert (shown["value"], shown["codebase_id"]) == ("debug", None)


def test_only_admins_set_and_remove(api: Api, admin: Api, path: str) -> None:
    admin.put(f"{path}/NPM_TOKEN", {"value": SECRET})
    assert api.put(f"{path}/NPM_TOKEN", {"value": "another-secret"}).status_code == 403
    assert api.delete(f"{path}/NPM_TOKEN").status_code == 403
    assert opened(Variable.objects.get(), "sealed_value") == SECRET


def test_workers_token_lists_nothing(api: Api, cast: Cast, path: str) -> None:
    assert api.bearing(cast.token(Role.WORKER)).get(path).status_code == 403


def test_what_is_left_out_stays(admin: Api, path: str) -> None:
    admin.put(f"{path}/NPM_TOKEN", {"value": SECRET, "description": "reads packages"})
    changed = admin.put(f"{path}/NPM_TOKEN", {"agent_types": ["plan"]}).json()["variable"]
    assert (changed["description"], changed["agent_types"], changed["kind"]) == ("reads packages", ["plan"], "secret")
    assert opened(Variable.objects.get(), "sealed_value") == SECRET


def test_kept_secret_is_not_turned_into_what_is_shown(admin: Api, path: str) -> None:
    admin.put(f"{path}/NPM_TOKEN", {"value": SECRET})
    refused = admin.put(f"{path}/NPM_TOKEN", {"kind": "variable"})
    assert (refused.status_code, Variable.objects.get().kind) == (400, "secret")


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("PATH", {"value": "/evil/bin"}, 400),
        ("Ld_Preload", {"value": "/evil.so"}, 400),
        ("A2A_TOKEN", {"value": SECRET}, 400),
        ("1ST", {"value": SECRET}, 400),
        ("A-B", {"value": SECRET}, 400),
        ("X" * 129, {"value": SECRET}, 400),
        ("FINE", {}, 400),
        ("FINE", {"value": "short"}, 400),
        ("FINE", {"value": "with\0nul", "kind": "variable"}, 400),
        ("FINE", {"value": "ä" * 40_000}, 400),
        ("FINE", {"value": SECRET, "kind": "file"}, 400),
    ],
)
def test_bad_variables_are_refused_and_nothing_is_kept(
    admin: Api, path: str, name: str, body: dict[str, str], status: int
) -> None:
    answer = admin.put(f"{path}/{name}", body)
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text
    assert not Variable.objects.exists()
    assert not AuditEntry.objects.filter(action="secret.set").exists()


def test_there_are_only_so_many(admin: Api, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variable_services, "VARIABLES_LIMIT", 1)
    assert admin.put(f"{path}/ONE", {"value": SECRET}).status_code == 200
    assert admin.put(f"{path}/TWO", {"value": SECRET}).json()["code"] == "too_many_variables"
    assert admin.put(f"{path}/ONE", {"value": "another-secret"}).status_code == 200
    assert Variable.objects.count() == 1


def test_changes_are_in_the_trail_without_their_values(admin: Api, path: str) -> None:
    admin.put(f"{path}/NPM_TOKEN", {"value": SECRET})
    admin.delete(f"{path}/NPM_TOKEN")
    entries = AuditEntry.objects.filter(action__startswith="secret.").order_by("seq")
    assert [entry.action for entry in entries] == ["secret.set", "secret.remove"]
    assert all(entry.target.endswith("/NPM_TOKEN") for entry in entries)
    assert not Variable.objects.exists()


def test_codebase_wins_and_kinds_of_task_narrow(admin: Api, cast: Cast) -> None:
    shop, barn = cast.codebase("shop"), cast.codebase("barn")
    admin.put(f"{WORKSPACE}/REGION", {"value": "north", "kind": "variable"})
    admin.put(f"/v1/opencode/codebases/{shop.id}/variables/REGION", {"value": "south", "kind": "variable"})
    admin.put(f"/v1/opencode/codebases/{shop.id}/variables/KEY", {"value": SECRET, "agent_types": ["build"]})
    tasks = [
        cast.task(codebase_id=shop.id), cast.task(codebase_id=shop.id, agent_type="plan"),
        cast.task(codebase_id=barn.id), cast.task(),
    ]  # fmt: skip
    found = environments_for(cast.workspace.id, tasks)
    assert [found[task.id].values for task in tasks] == [
        {"REGION": "south", "KEY": SECRET}, {"REGION": "south"}, {"REGION": "north"}, {"REGION": "north"},
    ]  # fmt: skip
    assert found[tasks[0].id].secrets == ["KEY"]


def test_removed_codebase_forgets_its_variables(admin: Api, cast: Cast) -> None:
    shop = cast.codebase("shop")
    admin.put(f"/v1/opencode/codebases/{shop.id}/variables/KEY", {"value": SECRET})
    codebase_retire(codebase=shop)
    assert not Variable.objects.exists()


def test_variables_are_sealed_anew_too(admin: Api, path: str, settings: Any) -> None:
    admin.put(f"{path}/KEY", {"value": SECRET})
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next key " + "y" * 40
    assert secrets_reseal().done == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert opened(Variable.objects.get(), "sealed_value") == SECRET


@pytest.mark.parametrize("name", ["DATABASE_URL", "npm_config_token", "_X", "GIT_AUTHOR_NAME", "LDAP_URL"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert refusal_of(name) is None
