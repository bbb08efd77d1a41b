"""Filters of the list of tasks that answer an operator's question: what is dear, mine, of today, for what program."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import Role
from apps.accounts.zone import COOKIE
from apps.core.ids import first_id_at, new_id
from apps.tasks.models import Task
from apps.tasks.reports import from_worker
from apps.tasks.selectors import finding
from apps.tasks.services import task_progress
from tests.factories import Cast
from tests.factories.browsers import signed_in


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


def titles(client: Client, **query: str) -> set[str]:
    return {task.title for task in client.get("/admin/tasks/task/", query).context["cl"].result_list}


def spent(cast: Cast, title: str, usd: float) -> None:
    usage = from_worker("usage", {"input_tokens": 1, "output_tokens": 1, "cost_usd": usd})
    task_progress(claim=cast.held(title=title), reported=[usage], seqs=[1])


@pytest.mark.parametrize(("cost", "found"), [("0.10", {"dear", "fair"}), ("1", {"dear"}), ("100", set())])
def test_expensive(cast: Cast, otto: Client, cost: str, found: set[str]) -> None:
    cast.task("free")
    spent(cast, "fair", 0.4)
    spent(cast, "dear", 12.5)
    assert titles(otto, cost=cost) == found


def test_mine_and_what_needs_me(cast: Cast, otto: Client) -> None:
    question = from_worker("input_required", {"question": "May I?", "options": [], "call_id": "c1"})
    task_progress(claim=cast.held(title="Ada's"), reported=[question], seqs=[1])
    ada = signed_in(cast, "ada", Role.OPERATOR)
    assert titles(ada, needs="person") == titles(ada, needs="me") == titles(ada, needs="mine") == {"Ada's"}
    assert titles(otto, needs="person") == {"Ada's"}
    assert titles(otto, needs="me") == titles(otto, needs="mine") == set()


def test_program(cast: Cast, otto: Client) -> None:
    cast.task("by Codex", requires=["codex", "worker:w1"])
    cast.task("by any")
    assert titles(otto, requires="codex") == {"by Codex"}
    offered = otto.get("/admin/tasks/task/").text
    assert "codex" in offered
    assert "worker:w1" not in offered


def test_only_the_latest_are_looked_at(cast: Cast, otto: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LOOKED_AT", 1)
    cast.task("older", requires=["codex"])
    cast.task("newer", requires=["codex"])
    assert titles(otto, requires="codex") == {"newer"}


def test_another_workspaces_are_not_found(cast: Cast, otto: Client) -> None:
    spent(cast.elsewhere(), "secret", 50)
    assert titles(otto, cost="1") == set()


def test_today_begins_at_midnight_where_the_reader_is(cast: Cast, otto: Client) -> None:
    task = cast.task("now")
    zone = "Pacific/Kiritimati" if timezone.now().hour < 12 else "Pacific/Pago_Pago"  # where midnight is hours away
    otto.cookies[COOKIE] = zone
    assert titles(otto, made="today") == {"now"}
    Task.objects.filter(pk=task.pk).update(created_at=timezone.now() - datetime.timedelta(hours=25))
    assert titles(otto, made="today") == set()
    assert titles(otto, made="week") == {"now"}


def test_ids_are_not_smaller_than_the_first_of_their_time() -> None:
    before = first_id_at(timezone.now())
    assert before <= new_id() < first_id_at(timezone.now() + datetime.timedelta(seconds=1))
