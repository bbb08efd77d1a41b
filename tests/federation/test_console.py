"""Remote agents in the console: registered in a dialog, shown without their secrets, kept from who may not."""

from collections.abc import Iterator

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.federation.models import RemoteAgent
from tests.factories import Cast
from tests.factories.browsers import signed_in
from tests.fakes.remote_agent import Cousin
from tests.federation.test_registering import SECRET, serving

pytestmark = pytest.mark.django_db

SUBMIT = {"_form_submitted": "on"}
LIST, REGISTER = "admin:federation_remoteagent_changelist", "admin:federation_remoteagent_register"


@pytest.fixture
def cousin() -> Iterator[Cousin]:
    with serving(Cousin({})) as one:
        yield one


@pytest.fixture
def ada(cast: Cast) -> Client:
    """An admin's browser."""
    return signed_in(cast, "ada", Role.ADMIN)


def registered(ada: Client, cast: Cast, cousin: Cousin) -> RemoteAgent:
    said = {"workspace": str(cast.workspace.pk), "card_url": cousin.url, "name": "cousin", "token": SECRET}
    assert ada.post(reverse(REGISTER), SUBMIT | said)["HX-Redirect"] == reverse(LIST)
    return RemoteAgent.objects.get()


def step(agent: RemoteAgent, name: str) -> str:
    return reverse(f"admin:federation_remoteagent_{name}", args=[agent.pk])


def test_admin_registers_an_agent_and_its_secret_is_not_shown(cast: Cast, ada: Client, cousin: Cousin) -> None:
    agent = registered(ada, cast, cousin)
    assert (agent.name, agent.created_by, agent.auth) == ("cousin", "ada", "bearer")
    for page in (ada.get(reverse(LIST)), ada.get(step(agent, "change")), ada.get(step(agent, "give_credentials"))):
        assert page.status_code == 200
        assert SECRET not in page.text
        assert agent.sealed_secret not in page.text


def test_refused_card_is_told(cast: Cast, ada: Client, cousin: Cousin) -> None:
    said = {"workspace": str(cast.workspace.pk), "card_url": f"{cousin.url}/nothing"}
    answer = ada.post(reverse(REGISTER), SUBMIT | said)
    assert "There is no card" in " ".join(map(str, get_messages(answer.wsgi_request)))
    assert not RemoteAgent.objects.exists()


def test_admin_turns_off_refreshes_and_removes(cast: Cast, ada: Client, cousin: Cousin) -> None:
    agent = registered(ada, cast, cousin)
    ada.post(step(agent, "switch"), SUBMIT)
    assert not RemoteAgent.objects.get().enabled
    cousin.altered = lambda card: card.update(description="New words.")
    ada.post(step(agent, "refresh"), SUBMIT)
    assert "New words." in ada.get(step(agent, "change")).text
    ada.post(step(agent, "give_credentials"), SUBMIT)
    assert RemoteAgent.objects.get().auth == "none"
    ada.post(step(agent, "remove"), SUBMIT)
    assert not RemoteAgent.objects.exists()


def test_operator_looks_only(cast: Cast, ada: Client, cousin: Cousin) -> None:
    agent = registered(ada, cast, cousin)
    otto = signed_in(cast, "otto", Role.OPERATOR)
    assert otto.get(step(agent, "change")).status_code == 200
    for name in ("switch", "refresh", "give_credentials", "remove"):
        otto.post(step(agent, name), SUBMIT)
    assert RemoteAgent.objects.get().enabled


def test_agent_goes_into_no_workspace_of_others(cast: Cast, ada: Client, cousin: Cousin) -> None:
    theirs = cast.elsewhere().workspace
    ada.post(reverse(REGISTER), SUBMIT | {"workspace": str(theirs.pk), "card_url": cousin.url})
    assert not RemoteAgent.objects.exists()
