"""The command palette finds what the person may see, by names and ids, and nothing else."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.tasks.models import Task
from apps.tasks.selectors import finding
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.factories.browsers import signed_in


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


def found(client: Client, words: str) -> list[str]:
    return [one.title for one in client.get("/admin/search/", {"s": words}).context["results"]]


def test_every_kind_is_found_by_its_name(cast: Cast, otto: Client) -> None:
    cast.task("Mend the gazebo", codebase_id=cast.codebase("gazebo").id)
    registration = Registration(worker_id="gazebo-1", name="gazebo machine")
    worker_register(workspace_id=cast.workspace.id, registration=registration)
    assert sorted(found(otto, "gazebo")) == ["Mend the gazebo", "gazebo", "gazebo machine"]
    assert reverse("admin:tasks_task_change", args=[Task.objects.get().pk]) in otto.get("/admin/search/?s=mend").text


@pytest.mark.parametrize("length", [4, 8, 13, 36])
def test_task_is_found_by_the_beginning_of_its_id(cast: Cast, otto: Client, length: int) -> None:
    assert "A" in found(otto, str(cast.task("A").pk)[:length])


def test_words_stand_anywhere_in_a_title_and_are_taken_as_they_are(cast: Cast, otto: Client) -> None:
    cast.task("Save 100% of the till")
    cast.task("Save 100 tills")
    assert found(otto, "till SAVE") == ["Save 100 tills", "Save 100% of the till"]
    assert found(otto, "100%") == ["Save 100% of the till"]


def test_only_the_latest_titles_are_looked_at(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "TITLES_LOOKED_AT", 2)
    for title in ("till one", "till two", "till three"):
        cast.task(title)
    assert found(otto, "till") == ["till three", "till two"]


def test_pages_and_lists_come_without_words(cast: Cast, otto: Client) -> None:
    titles = found(otto, "")
    assert {"Tasks that need a person", "Overview", "Workers"} <= set(titles)
    assert "API tokens" not in titles


def test_what_one_may_add_is_offered_to_who_may(cast: Cast, otto: Client) -> None:
    assert "Add API token" in found(signed_in(cast, "ada", Role.ADMIN), "add token")
    assert found(otto, "add token") == []


def test_another_workspaces_things_are_not_found(cast: Cast, otto: Client) -> None:
    far = cast.elsewhere()
    task = far.task("A secret task", codebase_id=far.codebase("secret codebase").id)
    registration = Registration(worker_id="secret-w", name="secret worker")
    worker_register(workspace_id=far.workspace.id, registration=registration)
    assert found(otto, "secret") == []
    assert "A secret task" not in found(otto, str(task.pk))


def test_nothing_found_says_where_to_look(otto: Client) -> None:
    page = otto.get("/admin/search/", {"s": "<b>zeppelin"}).text
    assert "Nothing is called “&lt;b&gt;zeppelin”" in page
    assert "/admin/tasks/task/?q=%3Cb%3Ezeppelin" in page


def test_what_is_too_long_for_a_name_finds_pages_only(cast: Cast, otto: Client) -> None:
    cast.task("Mend the till")
    assert "Mend the till" not in found(otto, "x" * 300)


def test_what_no_text_holds_is_refused(otto: Client) -> None:
    answer = otto.get("/admin/search/", {"s": "\x00"})
    assert (answer.status_code, "a character that no text has" in answer.text) == (400, True)


def test_who_is_signed_out_is_led_to_the_login(db: None) -> None:
    assert Client().get("/admin/search/", {"s": "till"})["Location"].startswith("/admin/login/")
