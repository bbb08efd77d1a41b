"""REST, the metrics, the console and SQL tell the same numbers of the same scene."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import Role
from apps.core.metrics import SSE_STREAMS
from apps.tasks.models import Task
from apps.tasks.services import (
    Outcome,
    event_from_worker,
    finish,
    leases_reap,
    limit_set,
    outbox_dispatch,
    queue_pause,
    task_cancel,
    task_finish,
    task_progress,
)
from apps.tasks.states import State
from apps.workers.services import Registration, worker_register
from apps.workers.waiting import CODES, why_pending
from codetether.overview import REASONS
from tests.api.conftest import Api
from tests.api.test_metrics import Scrape, number
from tests.expiry import expire_leases
from tests.factories import Cast


@pytest.fixture
def scene(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks in many states, waiting for many reasons; rescued ones, a stuck one, limits, a pause."""
    monkeypatch.setattr(finish, "BACKOFF_FIRST", finish.BACKOFF_MOST)  # no pause ends while the test runs
    limits: dict[str, Any] = {"workspace_id": cast.workspace.id, "by": "ada"}
    worker_register(
        workspace_id=cast.workspace.id,
        registration=Registration(worker_id="w1", name="w1", global_codebase_id="global"),
    )
    shop, till = cast.codebase("shop"), cast.codebase("till")
    for _ in range(2):
        cast.held()
    cast.held(max_attempts=1)
    expire_leases()
    leases_reap()  # two go back and wait a while, one has failed
    outbox_dispatch()  # what has ended by now is counted in one place, what ends later in another
    task_finish(claim=cast.held(), outcome=Outcome(status=State.COMPLETED))
    task_cancel(workspace_id=cast.workspace.id, task_id=cast.task().id, by="ada")
    task_progress(claim=cast.held(), reported=[event_from_worker("input_required", {"question": "Which?"})])
    cast.held()
    expire_leases()  # two are stuck: the one that asks, and one that runs
    cast.held(codebase_id=shop.id)
    cast.held(concurrency_key="deploy")
    limit_set(kind="codebase", key=shop.id, most=1, **limits)
    limit_set(kind="key", key="deploy", most=2, **limits)
    queue_pause(kind="codebase", key=till.id, reason="moving", **limits)
    for more in (
        {"codebase_id": shop.id}, {"codebase_id": till.id}, {"codebase_id": till.id}, {"model": "acme/none"},
        {"requires": ["gpu"]}, {"target_agent": "painter"}, {}, {}, {}, {"concurrency_key": "deploy"},
    ):  # fmt: skip
        cast.task(**more)
    Task.objects.filter(id=cast.task().id).update(deadline_at=timezone.now() - timedelta(seconds=1))


def counts(sql: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def filled(found: dict[str, Any]) -> dict[str, int]:
    """Without the zeros."""
    return {name: int(value) for name, value in found.items() if value}


BY_STATE = "SELECT state, count(*) FROM tasks_task GROUP BY state"
STUCK = "SELECT count(*) FROM tasks_task WHERE lease_expires_at < clock_timestamp()"
FULL = "SELECT count(*) FROM tasks_queuelimit WHERE held >= most"
PAUSES = "SELECT count(*) FROM tasks_queuelimit WHERE paused_at IS NOT NULL"
HELD = """SELECT l.kind, count(t.id) FROM tasks_queuelimit l LEFT JOIN tasks_task t ON t.lease_expires_at IS NOT NULL
    AND (l.kind = 'codebase' AND t.queue = l.key OR l.kind = 'key' AND t.concurrency_key = l.key)
    WHERE l.most IS NOT NULL GROUP BY l.kind"""
SWEPT = "SELECT outcome, sum(number) FROM tasks_sweeptotal GROUP BY outcome"
OLDEST = "SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM tasks_task WHERE state = 'pending'"


@pytest.fixture
def told(scene: None, cast: Cast, admin: Api) -> dict[str, Any]:
    """What each face says: `rest`, `metrics`, `console` (the context of its first page), while a stream is open."""
    with SSE_STREAMS.track_inprogress():
        found: dict[str, Any] = {"metrics": Scrape(admin.get("/metrics"))}
    for name, path in (
        ("rest", "queue/status"),
        ("reaper", "opencode/reaper/health"),
        ("stuck", "opencode/tasks/stuck"),
    ):
        found[name] = admin.get(f"/v1/{path}").json()
    browser = Client()  # last: it lets Django close the connection after each request again
    browser.force_login(cast.user("ada", Role.ADMIN, is_staff=True))
    found["console"] = browser.get(reverse("admin:index")).context
    found["limits"] = browser.get(reverse("admin:tasks_queuelimit_changelist")).text
    return found


def test_tasks_by_state(told: dict[str, Any]) -> None:
    by_state = counts(BY_STATE)
    assert by_state.keys() >= {"pending", "running", "input_required", "completed", "failed", "cancelled"}
    assert filled(told["rest"]["counts"]) == by_state
    assert filled(told["metrics"].by("codetether_tasks", "state")) == by_state
    tiles = {tile.label: tile.value for tile in told["console"]["tiles"]}
    names = {"Running": "running", "Waiting": "pending", "Completed": "completed", "Failed": "failed"}
    assert {label: tiles[label] for label in names} == {label: by_state[state] for label, state in names.items()}
    assert tiles["Need input"] == by_state["input_required"]


def test_pending_tasks_by_reason(told: dict[str, Any]) -> None:
    one_by_one = Counter(reason.code for task in Task.objects.all() if (reason := why_pending(task)))
    assert len(one_by_one) >= 8
    assert one_by_one.total() == counts(BY_STATE)["pending"]
    assert list(told["rest"]["pending_by_reason"]) == list(CODES)
    assert filled(told["rest"]["pending_by_reason"]) == one_by_one
    assert filled(told["metrics"].by("codetether_pending_tasks", "reason")) == one_by_one
    shown = {reason.words: reason.number for reason in told["console"]["reasons"]}
    assert shown == {REASONS[code][0]: n for code, n in one_by_one.items()}


def test_stuck_tasks(told: dict[str, Any]) -> None:
    stuck = number(STUCK)
    assert stuck == 2
    assert told["metrics"].value("codetether_stuck_tasks") == stuck
    needs = [need for need in told["console"]["needs"] if need.word == "stuck"]
    assert (told["stuck"]["total"], told["reaper"]["stuck_tasks"], len(needs)) == (stuck,) * 3


def test_rescued_tasks(told: dict[str, Any]) -> None:
    swept = {outcome: int(n) for outcome, n in counts(SWEPT).items()}
    assert swept == {"requeued": 2, "failed": 1}
    assert filled(told["metrics"].by("codetether_swept_tasks_total", "outcome")) == swept
    assert filled(told["reaper"]["last_sweep_moved"]) == swept


def test_limits_and_pauses(told: dict[str, Any]) -> None:
    held = counts(HELD)
    assert held == {"codebase": 1, "key": 1}
    listed = told["rest"]["limits"]
    assert {limit["kind"]: limit["held"] for limit in listed if limit["most"]} == held
    assert re.findall(r"(\d) of (\d)</span>", told["limits"]) == [("1", "1"), ("1", "2")]
    assert told["metrics"].value("codetether_full_limits") == number(FULL) == 1
    pauses = number(PAUSES)
    assert (sum(limit["paused"] for limit in listed), len(told["console"]["pauses"])) == (pauses, pauses)
    assert told["metrics"].value("codetether_queue_pauses") == pauses == 1


def test_ages_workers_and_streams(told: dict[str, Any]) -> None:
    oldest = float(number(OLDEST))
    assert told["rest"]["oldest_pending_seconds"] == pytest.approx(oldest, abs=10)
    assert told["metrics"].value("codetether_oldest_pending_task_age_seconds") == pytest.approx(oldest, abs=10)
    online = {tile.label: tile.value for tile in told["console"]["tiles"]}["Workers online"]
    assert (told["rest"]["workers_connected"], online, told["metrics"].value("codetether_connected_workers")) == (
        1,
        1,
        1,
    )
    assert told["metrics"].value("codetether_open_streams", transport="sse") == 1
