"""What people do to tasks from the console: each step is a service's, is checked, and is refused for viewers."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.tasks import log
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.services import Outcome, task_cancel, task_finish, task_progress
from apps.tasks.states import State
from tests.factories import Cast
from tests.factories.browsers import signed_in


@pytest.fixture
def otto(cast: Cast) -> Client:
    """An operator's browser."""
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    """A viewer's browser."""
    return signed_in(cast, "vera", Role.VIEWER)


def url_of(task: Task, step: str) -> str:
    return reverse(f"admin:tasks_task_{step}", args=[task.pk])


def last_of(task: Task) -> tuple[str, dict[str, Any]]:
    event = log.read(task.pk)[-1]
    return event.kind, event.data


def asking(cast: Cast) -> Task:
    options = [{"id": "once", "label": "Allow once", "kind": "allow_once"}]
    question = from_worker("input_required", {"question": "May I?", "options": options, "call_id": "c1"})
    return task_progress(claim=cast.held(), reported=[question], seqs=[1])


SUBMIT = {"_form_submitted": "on"}
STEPS = [("cancel", {"reason": "too late"}), ("requeue", {}), ("reprioritise", {"priority": "7"})]


def test_operator_cancels_with_a_reason(cast: Cast, otto: Client) -> None:
    task = cast.task()
    answer = otto.post(url_of(task, "cancel"), {**SUBMIT, "reason": "too late"})
    assert answer["HX-Redirect"] == url_of(task, "change")
    assert last_of(task) == ("cancelled", {"reason": "too late", "by": "otto"})


def test_operator_requeues(cast: Cast, otto: Client) -> None:
    claim = cast.held()
    task = Task.objects.get(pk=claim.task_id)
    otto.post(url_of(task, "requeue"), SUBMIT)
    assert Task.objects.get(pk=task.pk).state == "pending"
    assert last_of(task)[1]["reason"] == "requeued by otto"


def test_operator_changes_the_priority(cast: Cast, otto: Client) -> None:
    task = cast.task()
    otto.post(url_of(task, "reprioritise"), {**SUBMIT, "priority": "7"})
    assert Task.objects.get(pk=task.pk).priority == 7


def test_priority_out_of_range_is_refused(cast: Cast, otto: Client) -> None:
    task = cast.task()
    assert otto.post(url_of(task, "reprioritise"), {**SUBMIT, "priority": "1001"}).status_code == 200
    assert Task.objects.get(pk=task.pk).last_seq == 1


@pytest.mark.parametrize(("step", "said"), STEPS)
def test_looking_at_a_dialog_does_nothing(cast: Cast, otto: Client, step: str, said: dict[str, str]) -> None:
    task = cast.task()
    assert otto.get(url_of(task, step), said).status_code == 200
    assert Task.objects.get(pk=task.pk).last_seq == 1


@pytest.mark.parametrize(("step", "said"), [*STEPS, ("say", {"verb": "message", "message": "hi"})])
def test_viewer_may_not_steer(cast: Cast, vera: Client, step: str, said: dict[str, str]) -> None:
    task = cast.task()
    assert vera.post(url_of(task, step), {**SUBMIT, **said}).status_code == 403
    assert Task.objects.get(pk=task.pk).last_seq == 1


@pytest.mark.parametrize(("step", "said"), [*STEPS, ("say", {"verb": "message", "message": "hi"})])
def test_post_without_a_csrf_token_is_refused(cast: Cast, step: str, said: dict[str, str]) -> None:
    task = cast.task()
    client = signed_in(cast, "otto", Role.OPERATOR, enforce_csrf_checks=True)
    assert client.post(url_of(task, step), {**SUBMIT, **said}).status_code == 403
    assert Task.objects.get(pk=task.pk).last_seq == 1


def test_viewer_sees_no_buttons(cast: Cast, vera: Client, otto: Client) -> None:
    task = cast.task()
    assert url_of(task, "cancel") in otto.get(url_of(task, "change")).text
    page = vera.get(url_of(task, "change")).text
    assert not any(url_of(task, step) in page for step in ("cancel", "requeue", "reprioritise", "say"))


def test_ended_task_shows_no_buttons_and_refuses_with_a_message(cast: Cast, otto: Client) -> None:
    task = cast.task()
    task_cancel(workspace_id=cast.workspace.id, task_id=task.pk, by="ada")
    assert url_of(task, "cancel") not in otto.get(url_of(task, "change")).text
    answer = otto.post(url_of(task, "cancel"), SUBMIT)
    assert [str(said) for said in get_messages(answer.wsgi_request)] == [
        "The task is cancelled; it cannot be cancelled."
    ]
    assert Task.objects.get(pk=task.pk).last_seq == 2


def test_option_of_a_question_is_answered(cast: Cast, otto: Client) -> None:
    task = asking(cast)
    assert "Allow once" in otto.get(url_of(task, "change")).text
    said = {"verb": "answer", "message": "Allow once", "option": "once", "call_id": "c1"}
    assert otto.post(url_of(task, "say"), said).status_code == 302
    kind, data = last_of(task)
    assert (kind, data["data"], data["by"]) == ("answered", {"option_id": "once", "call_id": "c1"}, "otto")


def test_message_reaches_the_log(cast: Cast, otto: Client) -> None:
    task = cast.task()
    otto.post(url_of(task, "say"), {"verb": "message", "message": "hurry"})
    assert last_of(task) == ("message", {"message": "hurry", "by": "otto", "interrupt": False})


def test_interrupt_needs_no_words(cast: Cast, otto: Client) -> None:
    task = Task.objects.get(pk=cast.held().task_id)
    otto.post(url_of(task, "say"), {"verb": "interrupt", "message": ""})
    assert last_of(task)[1]["interrupt"] is True


@pytest.mark.parametrize(
    "said", [{"verb": "message", "message": " "}, {"verb": "answer", "message": "x"}, {"verb": "shout"}, {}]
)
def test_saying_nothing_useful_changes_nothing(cast: Cast, otto: Client, said: dict[str, str]) -> None:
    task = cast.task()
    answer = otto.post(url_of(task, "say"), said)
    assert answer.status_code == 302
    assert list(get_messages(answer.wsgi_request))
    assert Task.objects.get(pk=task.pk).last_seq == 1


def test_say_is_a_post(cast: Cast, otto: Client) -> None:
    assert otto.get(url_of(cast.task(), "say")).status_code == 405


@pytest.mark.parametrize("step", ["cancel", "tail"])
def test_what_is_no_task_is_not_found(cast: Cast, otto: Client, step: str) -> None:
    url = reverse(f"admin:tasks_task_{step}", args=["no-task"])
    assert (otto.get(url) if step == "tail" else otto.post(url, SUBMIT)).status_code in (403, 404)


def test_facts_are_not_changed_by_a_form(cast: Cast, otto: Client) -> None:
    task = cast.task()
    assert otto.post(url_of(task, "change"), {"title": "Other", "state": "completed"}).status_code == 403
    assert otto.post(url_of(task, "delete"), {"post": "yes"}).status_code == 403
    assert otto.get(reverse("admin:tasks_task_add")).status_code == 403
    task.refresh_from_db()
    assert (task.title, task.state) == ("Mend the till", "pending")


def ended(cast: Cast) -> Task:
    claim = cast.held(title="Mend it", codebase_id=cast.codebase().id, agent_type="plan")
    return task_finish(claim=claim, outcome=Outcome(status=State.FAILED, error="no", session_id="s1"))


@pytest.mark.parametrize(("said", "prompt"), [("Try once more", "Try once more"), ("", "Make the tests pass.")])
def test_operator_resumes_an_ended_task_in_a_new_one(cast: Cast, otto: Client, said: str, prompt: str) -> None:
    task = ended(cast)
    answer = otto.post(url_of(task, "resume"), {**SUBMIT, "prompt": said})
    new = Task.objects.exclude(pk=task.pk).get()
    assert answer["HX-Redirect"] == url_of(new, "change")
    assert (new.prompt, new.session_id, new.agent_type, new.codebase_id, new.created_by) == (
        prompt, "s1", "plan", task.codebase_id, "otto",
    )  # fmt: skip


def test_what_has_not_ended_is_not_resumed(cast: Cast, otto: Client) -> None:
    task = cast.task()
    assert url_of(task, "resume") not in otto.get(url_of(task, "change")).text
    otto.post(url_of(task, "resume"), SUBMIT)
    assert Task.objects.count() == 1


def test_viewer_resumes_nothing_and_is_offered_nothing(cast: Cast, vera: Client) -> None:
    task = ended(cast)
    assert url_of(task, "resume") not in vera.get(url_of(task, "change")).text
    assert vera.post(url_of(task, "resume"), SUBMIT).status_code == 403
    assert Task.objects.count() == 1


def test_viewer_sees_the_question_but_no_button(cast: Cast, otto: Client, vera: Client) -> None:
    task = asking(cast)
    assert "<button" in question_of(otto, task)
    assert "Allow once" in question_of(vera, task)
    assert "<button" not in question_of(vera, task)


def question_of(client: Client, task: Task) -> str:
    answer: str = client.get(url_of(task, "tail"), {"after": 0}).json()["question"]
    return answer
