"""Lists that people save under a name: their own only, in the menu, and never an address that is no list of ours."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.models import SavedLink
from apps.accounts.permissions import Role
from apps.accounts.saved_links import MOST
from tests.factories import Cast
from tests.factories.browsers import signed_in

LIST = "/admin/tasks/task/?state=failed"
SAVE = "/admin/saved/"


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.VIEWER)


def save(client: Client, name: str = "Failures", path: str = LIST) -> list[str]:
    answer = client.post(SAVE, {"name": name, "path": path})
    assert answer.status_code == 302
    return [str(message) for message in get_messages(answer.wsgi_request)]


def change(client: Client, **said: str) -> int:
    return client.post(reverse("saved_link", args=[SavedLink.objects.get().pk]), said).status_code


def test_list_is_saved_from_its_head_and_stands_in_the_menu(otto: Client) -> None:
    assert f'name="path" value="{LIST}"' in otto.get(LIST + "&p=0").text
    assert save(otto) == ["The list is in the menu now."]
    menu = {group["title"]: group["items"] for group in otto.get("/admin/").context["sidebar_navigation"]}
    assert [(item["title"], item["link"], item["active"]) for item in menu["Saved lists"]] == [
        ("Failures", LIST, False),
    ]
    shown = otto.get(LIST)
    assert shown.context["saved"]["here"].name == "Failures"
    assert "Failures" in [one.title for one in otto.get("/admin/search/?s=fail").context["results"]]


def test_list_without_a_filter_offers_nothing_to_save(otto: Client) -> None:
    assert "Save this list" not in otto.get("/admin/tasks/task/").text


def test_nobody_else_sees_or_changes_it(cast: Cast, otto: Client) -> None:
    save(otto)
    ada = signed_in(cast, "ada", Role.ADMIN)
    assert "Failures" not in ada.get(LIST).text
    assert change(ada, verb="remove") == change(ada, verb="rename", name="Mine") == 404
    assert SavedLink.objects.get().name == "Failures"


def test_it_is_renamed_and_removed(otto: Client) -> None:
    save(otto)
    assert change(otto, verb="rename", name="  What  failed ") == 302
    assert SavedLink.objects.get().name == "What failed"
    assert change(otto, verb="nonsense") == 404
    assert change(otto, verb="remove") == 302
    assert not SavedLink.objects.exists()


def test_name_in_the_menu_is_text(otto: Client) -> None:
    save(otto, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in otto.get(LIST).text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/admin/tasks/task/",
        "//evil.example/admin/tasks/task/",
        "/admin/tasks/task/\\evil.example",
        "/admin/../v1/opencode/tasks",
        "/admin/logout/",
        "/admin/tasks/task/add/",
        "/admin/",
        "/v1/opencode/tasks",
        "javascript:alert(1)",
        "/admin/tasks/task/?q=\r\nX: y",
        "/admin/tasks/task/?q=" + "x" * 2000,
        "",
    ],
)
def test_what_is_no_list_of_ours_is_not_saved(otto: Client, path: str) -> None:
    assert save(otto, path=path) == ["Only lists of the console can be saved."]
    assert not SavedLink.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "right\u202eleft"])
def test_what_is_no_name_is_not_saved(otto: Client, name: str) -> None:
    assert save(otto, name) == ["Give it a name of at most 60 characters."]
    assert not SavedLink.objects.exists()


def test_name_is_taken_once_and_places_are_bounded(cast: Cast, otto: Client) -> None:
    save(otto)
    assert "is the name of another" in save(otto, path="/admin/tasks/task/?state=running")[-1]
    owner = SavedLink.objects.get().user
    SavedLink.objects.bulk_create(SavedLink(user=owner, name=str(number), path=LIST) for number in range(MOST - 1))
    assert "are saved already" in save(otto, "One more")[-1]
    assert SavedLink.objects.count() == MOST


def test_it_takes_a_post_with_a_csrf_token_of_somebody_signed_in(cast: Cast, otto: Client) -> None:
    assert otto.get(SAVE).status_code == 405
    strict = signed_in(cast, "ada", Role.ADMIN, enforce_csrf_checks=True)
    assert strict.post(SAVE, {"name": "Failures", "path": LIST}).status_code == 403
    assert Client().post(SAVE, {"name": "Failures", "path": LIST})["Location"].startswith("/admin/login/")
    assert not SavedLink.objects.exists()
