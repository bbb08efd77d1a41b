"""Speaking to a worker's agents from its page: heard by what they work on, or a new task; refused like all steering."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.tasks import log
from apps.tasks.models import Task
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.factories.browsers import signed_in

REVIEWER = {"role": "reviewer", "instance": "reviewer:forge:1", "description": ""}


@pytest.fixture
def worker(cast: Cast) -> Worker:
    registration = Registration(worker_id="w1", name="forge", agents=[REVIEWER])
    return worker_register(workspace_id=cast.workspace.id, registration=registration)


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


def page_of(worker: Worker, view: str = "change") -> str:
    return reverse(f"admin:workers_worker_{view}", args=[worker.pk])


@pytest.mark.parametrize("agent", ["w1", "reviewer:forge:1"])
def test_what_it_works_on_hears_and_shows_it_at_once(cast: Cast, worker: Worker, otto: Client, agent: str) -> None:
    assert f'value="{agent}"' in otto.get(page_of(worker)).text
    task = Task.objects.get(pk=cast.held(title="Under way").task_id)
    answer = otto.post(page_of(worker, "say"), {"agent": agent, "message": "Mind the step"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("admin:tasks_task_change", args=[task.pk])
    assert "Mind the step" in answer.text
    assert log.read(task.pk)[-1].data == {"message": "Mind the step", "by": "otto", "interrupt": False}


def test_agent_that_works_on_nothing_gets_a_new_task(worker: Worker, otto: Client) -> None:
    otto.post(page_of(worker, "say"), {"agent": "reviewer:forge:1", "message": "Look at the till"})
    made = Task.objects.get()
    assert (made.target_agent, made.prompt, made.created_by) == ("reviewer", "Look at the till", "otto")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"agent": "w1", "message": "Hello"}, "This worker works on nothing now, and has no agent to ask."),
        ({"agent": "w2", "message": "Hello"}, "Choose who shall hear it, and give a text."),
        ({"agent": "w1", "message": ""}, "Choose who shall hear it, and give a text."),
    ],
)
def test_what_nobody_can_hear_is_refused_in_words(
    cast: Cast, worker: Worker, otto: Client, said: dict[str, str], told: str
) -> None:
    answer = otto.post(page_of(worker, "say"), said)
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [told]
    assert not Task.objects.exists()


def test_viewer_is_offered_nothing_and_refused(cast: Cast, worker: Worker) -> None:
    task, vera = Task.objects.get(pk=cast.held().task_id), signed_in(cast, "vera", Role.VIEWER)
    assert page_of(worker, "say") not in vera.get(page_of(worker)).text
    assert vera.post(page_of(worker, "say"), {"agent": "w1", "message": "Hello"}).status_code == 403
    assert Task.objects.get().last_seq == task.last_seq


def test_worker_of_another_workspace_is_not_there(cast: Cast, worker: Worker) -> None:
    stranger = signed_in(cast.elsewhere(), "zoe", Role.ADMIN)
    assert stranger.post(page_of(worker, "say"), {"agent": "w1", "message": "Hello"}).status_code == 404
    assert stranger.get(page_of(worker, "say")).status_code == 405
