"""The pages of workers, and what the lists of codebases and workers say and cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role
from apps.codebases.models import Codebase
from apps.tasks.models import QueueLimit
from apps.tasks.reports import from_worker
from apps.tasks.services import Outcome, queue_pause, task_finish, task_progress
from apps.tasks.states import State
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.factories.browsers import at, signed_in, words
from tests.factories.machines import machine

SUBMIT = {"_form_submitted": "on"}


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return signed_in(cast, "vera", Role.VIEWER)


@pytest.fixture
def shop(cast: Cast) -> Codebase:
    return cast.codebase("shop")


def listed(client: Client, pages: str, **query: str) -> list[Any]:
    return list(client.get(reverse(f"admin:{pages}_changelist"), query).context["cl"].result_list)


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def test_worker_says_what_it_holds_and_has_done(cast: Cast, otto: Client) -> None:
    here = machine(cast, version="0.0.1", codebases=[cast.codebase("shop", worker_id="").id])
    claim = cast.held(title="Runs")
    task_progress(claim=claim, reported=[from_worker("output", {"content": "adding sums"})], seqs=[1])
    task_finish(claim=cast.held(title="Broke"), outcome=Outcome(status=State.FAILED, error="no"))
    task_finish(claim=cast.held(worker_id="w2", title="Not its own"), outcome=Outcome(status=State.COMPLETED))
    answer = otto.get(at(here))
    tiles = {tile.label: tile.value for tile in answer.context["tiles"]}
    assert (tiles["At work"], tiles["Completed"], tiles["Failed"]) == ("1 of 2", 0, 1)
    assert [(line.task.title, line.said) for line in answer.context["held"]] == [("Runs", "adding sums")]
    assert [line.task.title for line in answer.context["ended"]] == ["Broke"]
    page = " ".join(answer.text.split())
    for told in ("attempt 1 of 3", "lease until", "older than the server", "claude", "acme/large", "shop"):
        assert told in page


def test_worker_that_is_away_or_drained_says_what_that_means(cast: Cast, otto: Client) -> None:
    here = machine(cast)
    Worker.objects.update(last_seen_at=Now() - timedelta(hours=1))
    assert "It has not been heard of" in words(otto, at(here))
    Worker.objects.update(unregistered_at=Now())
    assert "It said goodbye" in words(otto, at(here))
    Worker.objects.update(last_seen_at=Now(), unregistered_at=None, draining=True)
    assert "it can be switched off" in words(otto, at(here))


def test_admin_sees_by_which_token_a_worker_registered(cast: Cast, otto: Client) -> None:
    cast.token(Role.WORKER)
    told = Registration(worker_id="w1", name="machine")
    here = worker_register(
        workspace_id=cast.workspace.id, registration=told, serves=["shop"], token_id=ApiToken.objects.get().pk
    )
    ada = signed_in(cast, "ada", Role.ADMIN)
    assert "a worker" in words(ada, at(here))
    assert "a worker" not in words(otto, at(here))
    assert "It may serve 1 codebase" in words(otto, at(here))


def test_worker_limit_is_set_and_told_on_its_page(cast: Cast, vera: Client) -> None:
    here, ada = machine(cast), signed_in(cast, "ada", Role.ADMIN)
    assert vera.post(at(here, "limit"), {**SUBMIT, "most": "1"}).status_code == 403
    assert not QueueLimit.objects.exists()
    ada.post(at(here, "limit"), {**SUBMIT, "most": "1"})
    assert "0 of 1 held" in words(vera, at(here))


def test_viewer_and_others_do_nothing_to_a_worker(cast: Cast, vera: Client, otto: Client) -> None:
    here, far = machine(cast), machine(cast.elsewhere())
    assert at(here, "drain") not in words(vera, at(here))
    assert otto.get(at(far, "live")).status_code == 404
    assert otto.post(at(far, "drain"), SUBMIT).status_code == 403
    assert not Worker.objects.filter(draining=True).exists()


# Kept up to date, in lists, and at what cost


@pytest.mark.parametrize("pages", ["codebases_codebase", "workers_worker"])
def test_live_pieces_are_those_of_the_page(cast: Cast, otto: Client, shop: Codebase, pages: str) -> None:
    place: Codebase | Worker = shop if pages == "codebases_codebase" else machine(cast)
    pieces = [line.split('"')[1] for line in otto.get(at(place, "live")).text.split("data-piece=")[1:]]
    page = otto.get(at(place)).text
    assert pieces
    assert [name for name in pieces if f'data-piece="{name}"' not in page] == []


def test_codebases_are_listed_with_how_they_are_doing(cast: Cast, otto: Client, shop: Codebase) -> None:
    machine(cast)
    cast.task("Waits", codebase_id=shop.id)
    cast.codebase("lonely", worker_id="w9")
    queue_pause(workspace_id=cast.workspace.id, kind="codebase", key=cast.codebase("shut").id, by="ada", reason="")
    cast.held(codebase_id=cast.codebase("at-work").id)
    found = {
        name: [row.name for row in listed(otto, "codebases_codebase", standing=name)]
        for name in ("no_worker", "paused", "busy", "asks")
    }
    assert found == {"no_worker": ["lonely"], "paused": ["shut"], "busy": ["at-work"], "asks": []}
    page = words(otto, reverse("admin:codebases_codebase_changelist"))
    assert 'title="Waits">pending</a>' in page


def test_workers_are_listed_with_their_work(cast: Cast, otto: Client) -> None:
    machine(cast, version="0.0.1")
    cast.held()
    page = words(otto, reverse("admin:workers_worker_changelist"))
    for told in ("1 of 2", "claude", "0.0.1", "older than the server"):
        assert told in page


def test_pages_and_lists_ask_as_often_however_much_there_is(cast: Cast, otto: Client, shop: Codebase) -> None:
    here = machine(cast)
    urls = [
        at(shop),
        at(here),
        *(reverse(f"admin:{name}_changelist") for name in ("codebases_codebase", "workers_worker")),
    ]

    def fill(number: int) -> None:
        for _ in range(number):
            cast.held(codebase_id=shop.id)
            task_finish(claim=cast.held(codebase_id=shop.id), outcome=Outcome(status=State.COMPLETED))
            cast.task(codebase_id=shop.id)
            cast.codebase(f"other-{Codebase.objects.count()}")

    fill(1)
    machine(cast, "w2", codebases=[shop.id])
    few = [queries(otto, url) for url in urls]
    fill(3)
    machine(cast, "w3", codebases=[shop.id])
    assert [queries(otto, url) for url in urls] == few
