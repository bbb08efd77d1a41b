"""What the console's pages say: the overview, the list, a task's page, codebases and workers."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts import console
from apps.accounts.permissions import Role
from apps.codebases.models import Codebase
from apps.tasks.models import Task
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_heartbeat, worker_register
from tests.factories import Cast

SUBMIT = {"_form_submitted": "on"}
LIST = "admin:tasks_task_changelist"


@pytest.fixture
def otto(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.user("otto", Role.OPERATOR, is_staff=True))
    return client


def worker(cast: Cast, name: str = "w1") -> Worker:
    return worker_register(
        workspace_id=cast.workspace.id, registration=Registration(worker_id=name, name=f"machine {name}")
    )


def page_of(client: Client, task: Task, **query: object) -> str:
    return client.get(reverse("admin:tasks_task_change", args=[task.pk]), query).text


def test_overview_counts_and_lists(cast: Cast, otto: Client) -> None:
    cast.task("Waits")
    cast.held(title="Runs")
    worker(cast)
    answer = otto.get(reverse("admin:index"))
    tiles = {tile.label: tile.value for tile in answer.context["tiles"]}
    assert (tiles["Waiting"], tiles["Running"], tiles["Workers online"]) == (1, 1, 1)
    assert [one.task.title for one in answer.context["running"]] == ["Runs"]
    assert [move.word for move in answer.context["moves"]] == ["taken", "new", "new"]


def test_empty_overview_says_what_to_do_next(cast: Cast, otto: Client) -> None:
    answer = otto.get(reverse("admin:index"))
    assert "codetether-worker --server" in answer.text
    assert "/trigger" in answer.text


def test_every_list_knows_what_to_do_where_it_is_empty() -> None:
    admin.autodiscover()
    ours = [page for page in admin.site._registry.values() if isinstance(page, console.WorkspaceAdmin)]
    assert [page.opts.label for page in ours if not page.empty_hint] == []


@pytest.mark.parametrize("pages", ["tasks_task", "codebases_codebase", "workers_worker", "tasks_queuelimit"])
def test_empty_list_says_what_to_do_next(cast: Cast, otto: Client, pages: str) -> None:
    assert "yet</h2>" in otto.get(reverse(f"admin:{pages}_changelist")).text


def test_list_costs_the_same_number_of_queries_for_many_tasks(cast: Cast, otto: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            otto.get(reverse(LIST))
        return len(captured)

    codebase = cast.codebase()
    cast.task(codebase_id=codebase.id)
    few = queries()
    for _ in range(20):
        cast.task(codebase_id=codebase.id)
    assert queries() == few


def test_counting_stops_at_the_cap(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "COUNT_LIMIT", 3)
    for _ in range(5):
        cast.task()
    page = otto.get(reverse(LIST))
    assert page.context["cl"].result_count == 3
    assert "more than 3" in " ".join(page.text.split())


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"state": "running"}, {"Runs"}),
        ({"needs": "held"}, {"Runs"}),
        ({"needs": "person"}, set()),
        ({"needs": "stuck"}, set()),
        ({"needs": "waiting"}, set()),
        ({"needs": "open"}, {"Runs", "Waits"}),
        ({"needs": "me"}, set()),
        ({"needs": "mine"}, set()),
        ({"made": "hour"}, {"Runs", "Waits"}),
        ({"cost": "10"}, set()),
        ({"cost": "nonsense"}, {"Runs", "Waits"}),
        ({"requires": "docker"}, set()),
        ({"agent_type": "plan"}, {"Waits"}),
        ({"worker": "w1"}, {"Runs"}),
        ({"q": "wai"}, {"Waits"}),
        ({"state": "nonsense"}, {"Runs", "Waits"}),
    ],
)
def test_filters(cast: Cast, otto: Client, query: dict[str, str], titles: set[str]) -> None:
    cast.held(title="Runs")
    cast.task("Waits", agent_type="plan")
    found = otto.get(reverse(LIST), query).context["cl"].result_list
    assert {task.title for task in found} == titles


def test_pending_tasks_page_says_why_it_waits(cast: Cast, otto: Client) -> None:
    assert "no worker is connected" in page_of(otto, cast.task())


def test_codebase_edit_changes_words_and_settings_only(cast: Cast, otto: Client) -> None:
    codebase = cast.codebase("shop", agent_config={"auto_approve": True, "kept": 1})
    url = reverse("admin:codebases_codebase_change", args=[codebase.pk])
    said = {"name": "Shop", "description": "ours", "max_iterations": "5", "path": "/etc", "worker_id": "evil"}
    said |= {"deny": "bash:rm *\n\nedit:**/.env", "max_minutes": "30"}
    assert otto.post(url, said).status_code == 302
    codebase.refresh_from_db()
    assert (codebase.name, codebase.path, codebase.worker_id) == ("Shop", "/code/shop", "w1")
    assert codebase.agent_config["kept"] == 1
    assert codebase.agent_config["auto_approve"] is False
    assert codebase.agent_config["max_iterations"] == 5
    assert codebase.agent_config["deny"] == ["bash:rm *", "edit:**/.env"]
    assert (codebase.agent_config["max_minutes"], codebase.agent_config["max_cost_usd"]) == (30, 0)


def test_a_line_that_is_no_rule_is_not_saved(cast: Cast, otto: Client) -> None:
    codebase = cast.codebase("shop")
    url = reverse("admin:codebases_codebase_change", args=[codebase.pk])
    page = otto.post(url, {"name": "Shop", "max_iterations": "5", "deny": "rm -rf *"})
    assert b"wrong form: rm -rf *" in page.content
    codebase.refresh_from_db()
    assert codebase.agent_config == {}


def test_viewer_does_not_edit_codebases(cast: Cast) -> None:
    codebase = cast.codebase()
    client = Client()
    client.force_login(cast.user("vera", Role.VIEWER, is_staff=True))
    url = reverse("admin:codebases_codebase_change", args=[codebase.pk])
    assert client.post(url, {"name": "Other", "max_iterations": "5"}).status_code == 403
    assert Codebase.objects.get().name == "shop"


def test_codebase_list_counts_open_tasks(cast: Cast, otto: Client) -> None:
    codebase = cast.codebase()
    cast.task(codebase_id=codebase.id)
    cast.held(codebase_id=codebase.id)
    (row,) = otto.get(reverse("admin:codebases_codebase_changelist")).context["cl"].result_list
    assert row.open_task_count == 2


def test_operator_drains_a_worker_and_takes_it_back(cast: Cast, otto: Client) -> None:
    here = worker(cast)
    cast.held()
    for step, draining in (("drain", True), ("resume", False)):
        page = otto.get(reverse("admin:workers_worker_change", args=[here.pk])).text
        assert reverse(f"admin:workers_worker_{step}", args=[here.pk]) in page
        otto.post(reverse(f"admin:workers_worker_{step}", args=[here.pk]), SUBMIT)
        assert Worker.objects.get().draining is draining


def test_worker_that_is_being_shut_down_is_shown_as_draining(cast: Cast, otto: Client) -> None:
    worker(cast)
    worker_heartbeat(workspace_id=cast.workspace.id, worker_id="w1", claims=[], stopping=True)
    answer = otto.get(reverse("admin:workers_worker_changelist"), {"presence": "draining"})
    assert len(answer.context["cl"].result_list) == 1


def test_viewer_drains_nothing(cast: Cast) -> None:
    here = worker(cast)
    client = Client()
    client.force_login(cast.user("vera", Role.VIEWER, is_staff=True))
    assert client.post(reverse("admin:workers_worker_drain", args=[here.pk]), SUBMIT).status_code == 403
    assert not Worker.objects.get().draining


@pytest.mark.parametrize(("presence", "found"), [("online", 1), ("draining", 0), ("offline", 0)])
def test_workers_by_presence(cast: Cast, otto: Client, presence: str, found: int) -> None:
    worker(cast)
    answer = otto.get(reverse("admin:workers_worker_changelist"), {"presence": presence})
    assert len(answer.context["cl"].result_list) == found
