"""No page of the console is a dead end: what goes wrong is said in words, with a way on."""

import pytest
from django.test import Client

from apps.accounts.permissions import Role
from codetether import palette
from tests.factories import Cast
from tests.factories.browsers import signed_in

WAY_ON = 'href="/admin/"'


@pytest.fixture
def vera(cast: Cast) -> Client:
    client = signed_in(cast, "vera", Role.VIEWER, enforce_csrf_checks=True)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/admin/nothing/", 404, "There is nothing here"),
        ("/admin/tasks/task/add/", 403, "You may not do this"),
    ],
)
def test_refusal_says_why_and_leads_on(vera: Client, path: str, status: int, words: str) -> None:
    answer = vera.get(path)
    assert (answer.status_code, words in answer.text, WAY_ON in answer.text) == (status, True, True)


def test_form_of_another_sign_in_leads_on(vera: Client) -> None:
    answer = vera.post("/admin/saved/", {"name": "a", "path": "/admin/tasks/task/"})
    assert answer.status_code == 403
    assert "The page was too old" in answer.text


def test_fault_of_ours_leads_on_and_tells_no_secret(vera: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(palette, "WAYS", None)
    answer = vera.get("/admin/search/")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "TypeError" not in answer.text


def test_login_without_an_aim_leads_to_the_overview(cast: Cast) -> None:
    cast.user("otto", is_staff=True)
    answer = Client().post("/admin/login/", {"username": "otto", "password": "correct horse"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_programs_are_told_in_json(cast: Cast) -> None:
    assert Client().get("/v1/nothing").json()["code"]


def test_every_page_offers_the_way_past_the_menu_and_the_keys(vera: Client) -> None:
    page = vera.get("/admin/").text
    assert '<a class="ct-skip" href="#content">' in page
    assert 'id="content"' in page
    assert "Keyboard shortcuts" in page
