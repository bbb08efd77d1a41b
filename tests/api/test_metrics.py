"""`/metrics`: the numbers are SQL's, the counters move by what happened, and only admins read them."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts.permissions import Role
from apps.core.metrics import REGISTRY, SSE_STREAMS
from apps.core.wakeups import hub
from apps.tasks.models import Task
from apps.tasks.services import leases_reap, limit_set, queue_pause, task_cancel
from apps.tasks.states import State
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from apps.workers.waiting import CODES
from tests.api.conftest import Api
from tests.expiry import expire_leases
from tests.factories import Cast
from tests.unit.documents import marked, rows

CLAIM_WAIT = "codetether_claim_wait_seconds"
HTTP = "codetether_http_response_start_seconds"


class Scrape:
    """What one scrape says, by the parser that Prometheus's own client ships."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.families = list(text_string_to_metric_families(answer.text))

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name and those labels; 0 where there is none yet."""
        samples = [sample for family in self.families for sample in family.samples]
        (value,) = [one.value for one in samples if (one.name, one.labels) == (name, labels)] or [0.0]
        return value

    def by(self, name: str, label: str) -> dict[str, float]:
        samples = [sample for family in self.families for sample in family.samples if sample.name == name]
        return {sample.labels[label]: sample.value for sample in samples}


def scrape(admin: Api) -> Scrape:
    return Scrape(admin.get("/metrics"))


def number(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.fixture
def work(cast: Cast) -> None:
    """Tasks in several states, in two workspaces."""
    theirs = cast.elsewhere()
    for title in ("a", "b"):
        cast.task(title)
    theirs.task("c")
    cast.held()
    theirs.held()
    ended = cast.task("d")
    task_cancel(workspace_id=cast.workspace.id, task_id=ended.id, reason="enough", by="ada")


@pytest.mark.usefixtures("work")
def test_tasks_by_state_are_those_of_all_workspaces(admin: Api) -> None:
    found = scrape(admin).by("codetether_tasks", "state")
    counted = {str(s): number(f"SELECT count(*) FROM tasks_task WHERE state = '{s}'") for s in State}
    assert found == counted
    assert (found["pending"], found["running"], found["cancelled"], found["failed"]) == (3, 2, 1, 0)


def test_the_oldest_pending_task_gives_the_age(admin: Api, cast: Cast) -> None:
    assert scrape(admin).value("codetether_oldest_pending_task_age_seconds") == 0
    old = cast.elsewhere().task()
    cast.task()
    Task.objects.filter(id=old.id).update(created_at=timezone.now() - timedelta(seconds=90))
    assert 90 <= scrape(admin).value("codetether_oldest_pending_task_age_seconds") < 110


@pytest.mark.usefixtures("work")
def test_pending_tasks_are_told_by_reason(admin: Api, cast: Cast) -> None:
    queue_pause(workspace_id=cast.workspace.id, kind="workspace", by="ada")
    found = scrape(admin).by("codetether_pending_tasks", "reason")
    assert list(found) == list(CODES)
    assert {code: n for code, n in found.items() if n} == {"paused": 2, "no_worker": 1}


def test_full_limits_and_pauses_are_counted(admin: Api, cast: Cast) -> None:
    cast.held()
    for place in (cast, cast.elsewhere()):
        limit_set(workspace_id=place.workspace.id, kind="workspace", most=1, by="ada")
    queue_pause(workspace_id=cast.workspace.id, kind="codebase", key="global", by="ada")
    found = scrape(admin)
    assert found.value("codetether_full_limits") == number("SELECT count(*) FROM tasks_queuelimit WHERE held >= most")
    assert (found.value("codetether_full_limits"), found.value("codetether_queue_pauses")) == (1, 1)


def test_a_task_is_stuck_until_the_reaper_moves_it(admin: Api, cast: Cast) -> None:
    cast.held()
    expire_leases()
    assert scrape(admin).value("codetether_stuck_tasks") == 1
    leases_reap()
    assert scrape(admin).value("codetether_stuck_tasks") == 0


def test_what_the_reaper_did_is_what_the_log_says(admin: Api, cast: Cast) -> None:
    for more in ({}, {}, {"max_attempts": 1}):
        cast.held(**more)
    cast.elsewhere().held()
    expire_leases()
    late = cast.task()
    Task.objects.filter(id=late.id).update(deadline_at=timezone.now() - timedelta(seconds=1))
    leases_reap()
    leases_reap()
    found = scrape(admin).by("codetether_swept_tasks_total", "outcome")
    assert found == {"requeued": 3, "failed": 1, "unheld": 0, "expired": 1}
    logged = "SELECT count(*) FROM tasks_taskevent WHERE data->>'{}' = '{}'"
    assert found["requeued"] == number(logged.format("reason", "lease expired"))
    assert found["failed"] == number(logged.format("code", "attempts_spent"))
    assert found["expired"] == number(logged.format("code", "deadline_passed"))


def test_the_last_sweep_is_told_by_its_time(admin: Api) -> None:
    name = "codetether_last_sweep_timestamp_seconds"
    assert scrape(admin).value(name) == 0
    leases_reap()
    assert abs(scrape(admin).value(name) - number("SELECT extract(epoch FROM clock_timestamp())::float")) < 20


def test_workers_that_left_or_fell_silent_do_not_count(admin: Api, cast: Cast) -> None:
    for name in ("here", "gone", "silent"):
        worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id=name, name=name))
    Worker.objects.filter(worker_id="gone").update(unregistered_at=timezone.now())
    Worker.objects.filter(worker_id="silent").update(last_seen_at=timezone.now() - timedelta(days=1))
    assert scrape(admin).value("codetether_connected_workers") == 1


def test_a_claim_is_counted_with_how_long_its_task_had_waited(admin: Api, cast: Cast) -> None:
    before = scrape(admin)
    task = cast.task()
    Task.objects.filter(id=task.id).update(available_at=timezone.now() - timedelta(seconds=40))
    cast.held(task)
    after = scrape(admin)
    assert after.value(f"{CLAIM_WAIT}_count") - before.value(f"{CLAIM_WAIT}_count") == 1
    assert 40 <= after.value(f"{CLAIM_WAIT}_sum") - before.value(f"{CLAIM_WAIT}_sum") < 60


def test_an_empty_claim_counts_nothing(admin: Api, cast: Cast) -> None:
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="w1"))
    before = scrape(admin)
    assert admin.post("/v1/worker/tasks/claim", {"worker_id": "w1"}).json()["tasks"] == []
    assert scrape(admin).value(f"{CLAIM_WAIT}_count") == before.value(f"{CLAIM_WAIT}_count")


def test_a_stale_claims_refusal_is_counted_once(admin: Api, cast: Cast) -> None:
    claim = cast.held()
    task_cancel(workspace_id=cast.workspace.id, task_id=claim.task_id, reason="enough", by="ada")
    before = scrape(admin)
    said = {"task_id": str(claim.task_id), "claim_token": str(claim.token), "worker_id": "w1"}
    assert admin.post("/v1/worker/tasks/release", said | {"status": "completed"}).status_code == 409
    name = "codetether_errors_total"
    assert scrape(admin).value(name, code="stale_claim") - before.value(name, code="stale_claim") == 1


@pytest.mark.parametrize(
    ("method", "path", "lane", "status"),
    [
        ("GET", "/health", "protocol", "2xx"),
        ("DELETE", "/health", "protocol", "4xx"),
        ("GET", "/v1/queue/status", "management", "2xx"),
        ("GET", "/v1/nothing", "management", "4xx"),
        ("GET", "/v1/%00", "edge", "4xx"),
    ],
)
def test_requests_are_counted_by_lane_and_status(admin: Api, method: str, path: str, lane: str, status: str) -> None:
    before = scrape(admin)
    admin.call(method, path)
    after = scrape(admin)
    own = 1 if (lane, status) == ("protocol", "2xx") else 0  # the first scrape
    labels = {"lane": lane, "status": status}
    assert after.value(f"{HTTP}_count", **labels) - before.value(f"{HTTP}_count", **labels) == 1 + own


def test_an_a2a_call_that_is_refused_counts_once(admin: Api) -> None:
    before = scrape(admin)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": {"id": "nothing"}}
    assert "error" in admin.post("/a2a/jsonrpc", call).json()
    name = "codetether_errors_total"
    assert scrape(admin).value(name, code="task_not_found") - before.value(name, code="task_not_found") == 1


def test_streams_count_while_they_are_open(admin: Api) -> None:
    name = "codetether_open_streams"
    before = scrape(admin).value(name, transport="sse")
    with SSE_STREAMS.track_inprogress():
        assert scrape(admin).value(name, transport="sse") == before + 1
    assert scrape(admin).value(name, transport="sse") == before


def test_a_stream_that_ended_is_not_open(admin: Api, cast: Cast) -> None:
    task = cast.task()
    task_cancel(workspace_id=cast.workspace.id, task_id=task.id, reason="enough", by="ada")
    before = scrape(admin).value("codetether_open_streams", transport="sse")
    assert admin.get(f"/v1/opencode/tasks/{task.id}/output/stream").status_code == 200
    assert scrape(admin).value("codetether_open_streams", transport="sse") == before


def test_the_subscription_to_wake_ups_is_told(admin: Api) -> None:
    async def subscribed() -> httpx.Response:
        with hub().waiting("task:none"):
            await hub().connected.wait()
            return await admin.acall("GET", "/metrics")

    assert Scrape(admin.runner.run(subscribed())).value("codetether_wakeups_connected") == 1


@pytest.mark.usefixtures("work")
def test_another_workspaces_admin_is_told_that_workspaces_numbers_alone(admin: Api, cast: Cast) -> None:
    far = cast.elsewhere()
    far.task()
    limit_set(workspace_id=far.workspace.id, kind="workspace", most=1, by="ada")
    far.held()
    queue_pause(workspace_id=cast.workspace.id, kind="workspace", by="ada")
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="w1"))
    theirs = scrape(admin.bearing(far.token(Role.ADMIN)))
    tasks = theirs.by("codetether_tasks", "state")
    assert {state: n for state, n in tasks.items() if n} == {"pending": 1, "running": 1}
    assert sum(theirs.by("codetether_pending_tasks", "reason").values()) == 1
    told = [theirs.value(f"codetether_{name}") for name in ("full_limits", "queue_pauses", "connected_workers")]
    assert told == [1, 0, 0]
    process = {family.name for family in REGISTRY.collect()} | {"codetether_wakeups_connected"}
    assert not process & {family.name for family in theirs.families}


def test_superusers_are_told_of_all_workspaces_wherever_they_are(admin: Api, cast: Cast) -> None:
    far = cast.elsewhere()
    cast.task()
    root = far.user("root", Role.ADMIN, is_superuser=True)
    hers = scrape(admin.bearing(far.token(Role.ADMIN, user=root)))
    assert hers.by("codetether_tasks", "state")["pending"] == 1
    assert "codetether_http_response_start_seconds" in {family.name for family in hers.families}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.WORKER])
def test_others_than_admins_are_refused(api: Api, cast: Cast, role: Role) -> None:
    answer = api.bearing(cast.token(role)).get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "codetether_" not in answer.text


def test_without_a_token_nothing_is_told(api: Api) -> None:
    answer = api.bearing("").get("/metrics")
    assert (answer.status_code, "codetether_" in answer.text) == (401, False)


def test_a_token_for_metrics_alone_reads_no_task(api: Api, cast: Cast) -> None:
    scraper = api.bearing(cast.token(Role.ADMIN, scopes=["admin"]))
    assert scraper.get("/metrics").status_code == 200
    assert scraper.get("/v1/opencode/tasks").status_code == 403


def test_every_metric_is_documented_and_exists(admin: Api) -> None:
    families = {family.name: family.type for family in scrape(admin).families if family.name.startswith("codetether")}
    table = rows("operations/health.md", "Metric", "Type", "From")
    documented = {marked(row["Metric"])[0].removesuffix("_total"): row["Type"] for row in table}
    assert documented == families
    assert all(family.documentation for family in REGISTRY.collect())


def test_the_answer_says_what_it_is(admin: Api) -> None:
    assert admin.get("/metrics").headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
