"""The console's first page: numbers, charts, who needs a person and what can be done about it at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.permissions import Role
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.selectors import lately
from apps.tasks.services import Outcome, task_finish, task_progress
from apps.tasks.states import State
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.factories.browsers import signed_in

OVERVIEW = "overview_live"
QUESTION = {"question": "May I?", "options": [{"id": "once", "label": "Allow once"}], "call_id": "c1"}


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return signed_in(cast, "vera", Role.VIEWER)


def says(cast: Cast, kind: str, data: dict[str, Any], title: str = "Mend the till") -> Task:
    return task_progress(claim=cast.held(title=title), reported=[from_worker(kind, data)], seqs=[1])


def ends(cast: Cast, state: State, **more: Any) -> Task:
    return task_finish(claim=cast.held(), outcome=Outcome(status=state, **more))


def shown(client: Client) -> Any:
    return client.get(reverse(OVERVIEW))


def test_day_is_counted_with_its_cost(cast: Cast) -> None:
    ends(cast, State.COMPLETED, usage={"cost_usd": 0.5})
    ends(cast, State.FAILED, error="no", usage={"cost_usd": 0.25})
    ends(cast, State.COMPLETED, usage={"cost_usd": "nonsense"})
    recent = lately(cast.workspace.id)
    assert (recent.completed, recent.failed, recent.cost_usd, recent.is_capped) == (2, 1, 0.75, False)
    assert len(recent.hours) == 24
    assert recent.hours[-1].ended == 3


def test_days_before_and_other_workspaces_do_not_count(cast: Cast) -> None:
    old = ends(cast, State.COMPLETED)
    ends(cast.elsewhere(), State.COMPLETED)
    Task.objects.filter(pk=old.pk).update(moved_at=Now() - timedelta(hours=25))
    assert lately(cast.workspace.id).completed == 0


def test_charts_tell_in_words_what_they_show(cast: Cast, otto: Client) -> None:
    ends(cast, State.COMPLETED)
    page = shown(otto).text
    assert 'aria-label="1 completed and 0 failed in 24 hours"' in page
    assert "the last hour: 1 completed" in page


def test_running_task_shows_its_last_words(cast: Cast, otto: Client) -> None:
    says(cast, "output", {"content": "adding <b>sums</b>"})
    page = shown(otto).text
    assert "adding &lt;b&gt;sums" in page


def test_worker_shows_its_load(cast: Cast, otto: Client) -> None:
    worker_register(
        workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="builder", concurrency=2)
    )
    cast.held()
    assert "1 of 2 busy" in " ".join(shown(otto).text.split())


def test_everything_that_needs_a_person_is_listed(cast: Cast, otto: Client) -> None:
    says(cast, "input_required", QUESTION)
    ends(cast, State.FAILED, error="no")
    Task.objects.filter(pk=cast.held().task_id).update(lease_expires_at=Now() - timedelta(minutes=1))
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w9", name="away"))
    Worker.objects.update(last_seen_at=Now() - timedelta(hours=1))
    assert [need.word for need in shown(otto).context_data["needs"]] == ["asks", "stuck", "offline", "failed"]


def test_question_is_answered_from_the_first_page(cast: Cast, otto: Client) -> None:
    task = says(cast, "input_required", QUESTION)
    assert "Allow once" in shown(otto).text
    said = {"verb": "answer", "option": "once", "message": "Allow once", "call_id": "c1", "back": "1"}
    answer = otto.post(reverse("admin:tasks_task_say", args=[task.pk]), said)
    assert answer.headers["Location"] == f"/admin/?workspace={cast.workspace.slug}"
    task.refresh_from_db()
    assert task.state == State.RUNNING


@pytest.mark.parametrize(("verb", "tasks"), [("requeue", 1), ("resume", 2)])
def test_steps_of_the_first_page(cast: Cast, otto: Client, verb: str, tasks: int) -> None:
    task = ends(cast, State.FAILED, error="no") if verb == "resume" else Task.objects.get(pk=cast.held().task_id)
    otto.post(reverse("admin:tasks_task_step", args=[task.pk]), {"verb": verb})
    assert Task.objects.filter(state=State.PENDING).count() == 1
    assert Task.objects.count() == tasks


def test_viewer_is_offered_no_step_and_refused_all(cast: Cast, vera: Client) -> None:
    asking, failed = says(cast, "input_required", QUESTION), ends(cast, State.FAILED, error="no")
    assert "<form" not in shown(vera).text
    for task, verb in ((asking, "requeue"), (failed, "resume")):
        assert vera.post(reverse("admin:tasks_task_step", args=[task.pk]), {"verb": verb}).status_code == 403
    assert set(Task.objects.values_list("state", flat=True)) == {"input_required", "failed"}


def test_step_is_a_known_post_of_ones_own_workspace(cast: Cast, otto: Client) -> None:
    task, far = cast.task(), cast.elsewhere().task()
    url = reverse("admin:tasks_task_step", args=[task.pk])
    assert otto.get(url).status_code == 405
    assert otto.post(url, {"verb": "delete"}).status_code == 404
    assert otto.post(reverse("admin:tasks_task_step", args=[far.pk]), {"verb": "requeue"}).status_code == 404


def test_live_pieces_are_for_who_is_signed_in(cast: Cast) -> None:
    assert Client().get(reverse(OVERVIEW)).status_code == 302


def test_each_of_ones_workspaces_is_live(cast: Cast, otto: Client) -> None:
    far = cast.elsewhere()
    User.objects.get(username="otto").memberships.create(workspace=far.workspace, role=Role.VIEWER)
    for one in (cast.workspace, far.workspace):
        page = otto.get("/admin/", {"workspace": one.slug}).text
        assert f'data-stream="/v1/monitor/stream?workspace={one.id}"' in page


def test_somebody_in_no_workspace_gets_no_pieces(cast: Cast) -> None:
    user = cast.user("nora", Role.VIEWER, is_staff=True)
    user.memberships.all().delete()
    client = Client()
    client.force_login(user)
    assert client.get(reverse(OVERVIEW)).status_code == 404
