"""Steering many tasks from the list: asked first, done on what was shown, told by the number, refused row by row."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.tasks.admin import bulk
from apps.tasks.models import Task
from apps.tasks.services import Outcome, task_cancel, task_finish
from apps.tasks.states import State
from tests.factories import Cast
from tests.factories.browsers import signed_in

LIST = "/admin/tasks/task/"
CONFIRMED = {"confirmed": "1"}
DEEDS = ["requeue_selected", "resume_selected", "reprioritise_selected", "cancel_selected"]


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


def chosen(name: str, *tasks: Task) -> dict[str, object]:
    return {"action": name, "_selected_action": [str(task.pk) for task in tasks]}


def said(client: Client, posted: dict[str, object], path: str = LIST) -> list[str]:
    return sorted(str(message) for message in get_messages(client.post(path, posted).wsgi_request))


@pytest.mark.parametrize("name", DEEDS)
def test_it_asks_first_with_the_number(cast: Cast, otto: Client, name: str) -> None:
    tasks = [cast.task("one"), cast.task("two")]
    page = otto.post(LIST, chosen(name, *tasks)).text
    assert "2 tasks</button>" in page
    assert "2 pending" in page
    assert set(Task.objects.values_list("state", "last_seq")) == {("pending", 1)}


def test_cancelling_gives_the_reason_to_each(cast: Cast, otto: Client) -> None:
    tasks = [cast.task("one"), cast.task("two")]
    told = said(otto, {**chosen("cancel_selected", *tasks), **CONFIRMED, "reason": "too late"})
    assert told == ["2 tasks are cancelled."]
    assert set(Task.objects.values_list("state", flat=True)) == {"cancelled"}


def test_requeue_does_what_can_be_done_and_says_why_not_the_rest(cast: Cast, otto: Client) -> None:
    held = Task.objects.get(pk=cast.held().task_id)
    waiting = [cast.task("waits"), cast.task("waits too")]
    told = said(otto, {**chosen("requeue_selected", held, *waiting), **CONFIRMED})
    assert told[0] == "1 task is back in the queue."
    assert told[1].startswith("2 tasks are left alone: The task is pending")
    assert [Task.objects.get(pk=one.pk).last_seq for one in waiting] == [1, 1]


def test_failures_are_resumed_in_new_tasks(cast: Cast, otto: Client) -> None:
    failed = task_finish(claim=cast.held(title="Fails"), outcome=Outcome(status=State.FAILED, error="no"))
    told = said(otto, {**chosen("resume_selected", failed, cast.task("waits")), **CONFIRMED, "prompt": "Once more"})
    assert told == [
        "1 task is gone on with in a new task.",
        "1 task is left alone: The task has not ended: speak to it instead.",
    ]
    assert Task.objects.get(prompt="Once more").created_by == "otto"


def test_priority_is_asked_for_and_changed(cast: Cast, otto: Client) -> None:
    task = cast.task()
    wrong = otto.post(LIST, {**chosen("reprioritise_selected", task), **CONFIRMED, "priority": "5000"})
    assert 'role="alert"' in wrong.text
    assert Task.objects.get().priority == 0
    otto.post(LIST, {**chosen("reprioritise_selected", task), **CONFIRMED, "priority": "7"})
    assert Task.objects.get().priority == 7


def test_all_across_pages_is_bounded_and_says_so(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    tasks = [cast.task(f"number {number}") for number in range(3)]
    page = otto.post(LIST, {**chosen("cancel_selected", tasks[0]), "select_across": "1"}).text
    assert "these are the first 2" in page
    assert page.count('name="_selected_action"') == 2
    assert str(tasks[0].pk) not in page


def test_only_what_the_page_named_is_done(cast: Cast, otto: Client) -> None:
    named, later = cast.task("named"), cast.task("came later")
    otto.post(LIST, {**chosen("cancel_selected", named), **CONFIRMED})
    assert Task.objects.get(pk=later.pk).state == "pending"


def test_what_left_the_list_meanwhile_is_told(cast: Cast, otto: Client) -> None:
    task = cast.task()
    other = cast.task()
    task_cancel(workspace_id=cast.workspace.id, task_id=task.pk, by="ada")
    posted = {**chosen("cancel_selected", task, other), **CONFIRMED}
    assert said(otto, posted, f"{LIST}?state=pending") == [
        "1 task is cancelled.",
        "1 task is left alone: no longer in this list.",
    ]


@pytest.mark.parametrize("name", DEEDS)
def test_viewer_has_no_bulk_actions(cast: Cast, name: str) -> None:
    task = cast.task()
    vera = signed_in(cast, "vera", Role.VIEWER)
    assert "cancel_selected" not in vera.get(LIST).text
    vera.post(LIST, {**chosen(name, task), **CONFIRMED, "priority": "7"})
    assert list(Task.objects.values_list("state", "last_seq")) == [("pending", 1)]


def test_viewer_in_one_workspace_and_operator_in_another_steers_only_there(cast: Cast) -> None:
    far = cast.elsewhere()
    client, user = Client(), cast.user("otto", Role.VIEWER, is_staff=True)
    user.memberships.create(workspace=far.workspace, role=Role.OPERATOR)
    client.force_login(user)
    here, there = cast.task("here"), far.task("there")
    told = said(client, {**chosen("cancel_selected", here, there), **CONFIRMED})
    assert told == ["1 task is cancelled.", "1 task is left alone: you may not do this in their workspace."]
    assert dict(Task.objects.values_list("title", "state")) == {"here": "pending", "there": "cancelled"}
    assert client.post(reverse("admin:tasks_task_cancel", args=[here.pk]), {"_form_submitted": "on"}).status_code == 403


def test_post_without_a_csrf_token_is_refused(cast: Cast) -> None:
    task = cast.task()
    client = signed_in(cast, "otto", Role.OPERATOR, enforce_csrf_checks=True)
    assert client.post(LIST, {**chosen("cancel_selected", task), **CONFIRMED}).status_code == 403
    assert Task.objects.get().last_seq == 1
