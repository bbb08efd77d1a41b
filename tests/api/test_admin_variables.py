"""Variables in the console: set, changed and removed in dialogs; a secret goes in and is on no page."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.codebases.models import Variable
from apps.core.sealing import opened
from tests.factories import Cast
from tests.factories.browsers import signed_in

pytestmark = pytest.mark.django_db

SUBMIT = {"_form_submitted": "on"}
LIST, SET = "admin:codebases_variable_changelist", "admin:codebases_variable_set_one"
SECRET = "correct-horse-battery"


@pytest.fixture
def ada(cast: Cast) -> Client:
    """An admin's browser."""
    return signed_in(cast, "ada", Role.ADMIN)


def made(ada: Client, cast: Cast, **more: str) -> Variable:
    said = {"workspace": str(cast.workspace.pk), "codebase": cast.codebase("shop").pk, "name": "KEY", "kind": "secret"}
    assert ada.post(reverse(SET), SUBMIT | said | {"value": SECRET, "agent_types": "build, plan"} | more)["HX-Redirect"]
    return Variable.objects.get()


def step(variable: Variable, name: str) -> str:
    return reverse(f"admin:codebases_variable_{name}", args=[variable.pk])


def test_admin_sets_one_and_it_is_on_no_page(cast: Cast, ada: Client) -> None:
    variable = made(ada, cast)
    assert (variable.set_by, variable.agent_types, opened(variable, "sealed_value")) == (
        "ada",
        ["build", "plan"],
        SECRET,
    )
    for page in (ada.get(reverse(LIST)), ada.get(step(variable, "change")), ada.get(step(variable, "change_one"))):
        assert page.status_code == 200
        assert "KEY" in page.text or "build, plan" in page.text
        assert SECRET not in page.text
        assert variable.sealed_value not in page.text


def test_empty_value_leaves_the_secret_as_it_is(cast: Cast, ada: Client) -> None:
    variable = made(ada, cast)
    ada.post(step(variable, "change_one"), SUBMIT | {"value": "", "description": "for the till", "agent_types": ""})
    variable.refresh_from_db()
    assert (variable.description, variable.agent_types, opened(variable, "sealed_value")) == (
        "for the till",
        [],
        SECRET,
    )


def test_refusal_is_told_and_nothing_is_kept(cast: Cast, ada: Client) -> None:
    said = {"workspace": str(cast.workspace.pk), "name": "PATH", "kind": "secret", "value": SECRET}
    ada.post(reverse(SET), SUBMIT | said)
    assert "machine" in ada.get(reverse(LIST)).text
    assert not Variable.objects.exists()


def test_admin_removes_one(cast: Cast, ada: Client) -> None:
    ada.post(step(made(ada, cast), "remove_one"), SUBMIT)
    assert not Variable.objects.exists()


def test_operator_sees_names_and_changes_nothing(cast: Cast, ada: Client) -> None:
    variable = made(ada, cast)
    otto = signed_in(cast, "otto", Role.OPERATOR)
    assert "KEY" in otto.get(reverse(LIST)).text
    for name in ("change_one", "remove_one"):
        assert otto.post(step(variable, name), SUBMIT | {"value": "another-secret"}).status_code in (302, 403, 404)
    assert opened(Variable.objects.get(), "sealed_value") == SECRET
