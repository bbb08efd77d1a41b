"""`GET /metrics`: this process's instruments, and what the database knows, in Prometheus's text format.

They are read when they are asked for, so they are what SQL says. Who acts for the installation is told the numbers of
all workspaces, which name none, and of this process; any other workspace's admin those of that workspace.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from apps.a2a.push_cursor import push_pending, push_totals
from apps.accounts.gate import guarded
from apps.accounts.installation import sees_installation
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.metrics import ERRORS, REGISTRY
from apps.core.tenancy import EVERYWHERE, acting
from apps.core.wakeups import hub
from apps.tasks.errors import StaleClaimError
from apps.tasks.selectors import Totals, totals
from apps.tasks.services import Sweep, Swept, sweep_latest
from apps.workers.selectors import connected_count
from apps.workers.waiting import pending_by_reason
from codetether import __version__

ERRORS.labels(StaleClaimError.code)  # shown from the start, so that the first refusal is seen as an increase


async def metrics(request: Request, principal: Principal) -> Response:
    """Everything that is measured, as far as it is the caller's."""
    page = await in_database(_page, principal, hub().state == "connected")
    return Response(page, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4, "cache-control": "no-store"})


def _page(principal: Principal, wakeups_connected: bool) -> bytes:
    if not sees_installation(principal):
        return bytes(generate_latest(_stored(principal.workspace_id, None)))
    with acting(EVERYWHERE):
        return bytes(generate_latest(_stored(None, wakeups_connected))) + bytes(generate_latest(REGISTRY))


def _stored(workspace_id: uuid.UUID | None, wakeups_connected: bool | None) -> "Stored":
    """What the database knows of the workspaces that this context acts for: of that one, or (None) of all."""
    return Stored(
        tasks=totals(),
        pending=pending_by_reason(workspace_id),
        workers=connected_count(),
        wakeups_connected=wakeups_connected,
        sweep=sweep_latest(workspace_id=workspace_id),
        pushed=push_totals(),
        push_pending=push_pending(),
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A collector (prometheus_client's word) of what is looked up at the scrape."""

    tasks: Totals
    pending: Mapping[str, int]
    workers: int
    wakeups_connected: bool | None
    """None: it is not told, being the process's."""
    sweep: Swept | None
    pushed: Mapping[str, int]
    push_pending: int

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("codetether", "The version that runs.", {"version": __version__})
        by_state = GaugeMetricFamily("codetether_tasks", "Tasks in each state.", labels=["state"])
        yield _filled(by_state, self.tasks.by_state)
        by_reason = GaugeMetricFamily("codetether_pending_tasks", "Why pending tasks wait.", labels=["reason"])
        yield _filled(by_reason, self.pending)
        meaning = "Tasks that the reaper has moved, by what became of them; counted in the database."
        swept = CounterMetricFamily("codetether_swept_tasks", meaning, labels=["outcome"])
        yield _filled(swept, {**asdict(Sweep()), **self.tasks.swept})
        meaning = "Push notifications, by what became of each attempt; counted in the database."
        pushed = CounterMetricFamily("codetether_push_notifications", meaning, labels=["outcome"])
        yield _filled(pushed, self.pushed)
        for name, meaning, value in self._single():
            yield GaugeMetricFamily(f"codetether_{name}", meaning, value=value)

    def _single(self) -> Iterator[tuple[str, str, float]]:
        age = self.tasks.oldest_pending_seconds
        yield "oldest_pending_task_age_seconds", "Since the pending task that is oldest was made; 0 without any.", age
        yield "stuck_tasks", "Tasks whose lease has run out and that no sweep has moved yet.", self.tasks.stuck
        yield "full_limits", "Limits under which as many tasks are held as may be.", self.tasks.full_limits
        yield "queue_pauses", "Workspaces, codebases, workers and concurrency keys that are paused.", self.tasks.pauses
        meaning = "When the reaper last came to the end of a sweep, in seconds since 1970; 0 where it never did."
        yield "last_sweep_timestamp_seconds", meaning, self.sweep.at.timestamp() if self.sweep else 0.0
        yield "connected_workers", "Workers heard of lately.", self.workers
        meaning = "Receivers of push notifications that are to be told something, or to be tried again."
        yield "push_receivers_waiting", meaning, self.push_pending
        meaning = "Whether the other processes' wake-ups arrive here; 0 also before this process's first stream."
        if self.wakeups_connected is not None:
            yield "wakeups_connected", meaning, self.wakeups_connected


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for key, value in values.items():
        family.add_metric([key], value)
    return family


routes: list[BaseRoute] = [guarded("/metrics", metrics, methods=["GET"], scope=Scope.ADMIN)]
