"""The console's first page: how a workspace's agents are doing, and what a person has to do for them.

Every query is bounded, whatever the tables hold, since the page asks again as long as it is open.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.accounts.tiles import Tile
from apps.codebases.selectors import codebases_of
from apps.tasks.admin.places import place_name
from apps.tasks.selectors import (
    HOURS,
    Lately,
    last_words,
    lately,
    limits_of,
    open_counts,
    recent_moves,
    running_by_worker,
    tasks_of,
)
from apps.tasks.states import ASKING, State
from apps.workers.load import Load
from apps.workers.models import Worker
from apps.workers.selectors import connected_machines
from apps.workers.waiting import pending_by_reason
from codetether.charts import Chart, ended_chart, time_chart
from codetether.needs import needs

ROWS = 8
MOVES_SHOWN = 8
ASKING_STATES = [str(state) for state in ASKING]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of what happened lately: a task that came to a state."""

    title: str
    url: str
    word: str
    tone: str
    at: Any


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause, for the banner."""

    name: str
    limit: Any


@dataclass(frozen=True, slots=True)
class Running:
    """A task under way, and what its agent said last."""

    task: Any
    words: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of why tasks wait."""

    words: str
    tone: str
    number: int


REASONS = {
    "deadline_passed": ("their deadline has passed", "warning"),
    "not_before": ("not yet: they pause before another attempt", "info"),
    "paused": ("paused", "warning"),
    "no_worker": ("no worker is connected", "danger"),
    "no_session_worker": ("the worker that keeps their session is away", "danger"),
    "no_codebase_worker": ("no connected worker has their codebase", "danger"),
    "declined": ("every worker that could has declined", "danger"),
    "no_role": ("no worker runs their agent", "danger"),
    "no_model": ("no worker runs their model", "danger"),
    "no_capability": ("no worker has what they require", "danger"),
    "workspace_limit": ("the workspace is at its limit", "info"),
    "codebase_limit": ("their codebase is at its limit", "info"),
    "key_limit": ("their concurrency key is at its limit", "info"),
    "workers_busy": ("all fitting workers are busy", "info"),
    "next_in_line": ("next in line", "success"),
}
"""Why tasks wait, in words for many, by the codes of `apps.workers.waiting`."""

WORDS = {
    "created": ("new", "default"),
    "claimed": ("taken", "info"),
    "requeued": ("back in the queue", "warning"),
    "asked": ("asks", "warning"),
    "answered": ("answered", "info"),
    "completed": ("completed", "success"),
    "failed": ("failed", "danger"),
    "cancelled": ("cancelled", "default"),
    "rejected": ("rejected", "danger"),
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: the workspace of `?workspace=`, by default the person's oldest."""
    reach = reach_of(request)
    open_to = list(reach.workspaces(Scope.TASKS_READ)[:200])
    chosen = next((one for one in open_to if one.slug == request.GET.get("workspace")), open_to[0] if open_to else None)
    context |= {"title": "Overview", "workspaces": open_to if len(open_to) > 1 else [], "workspace": chosen}
    if chosen is None:
        return context
    return context | _shown(chosen, request) | {"stream": reach.address_of("/v1/monitor/stream", chosen.id)}


def live(request: HttpRequest) -> HttpResponse:
    """The pieces of the first page that change, for one that is open."""
    context = dashboard(request, {})
    if context["workspace"] is None:
        raise Http404
    return TemplateResponse(request, "admin/overview/live.html", context)


def _shown(workspace: Workspace, request: HttpRequest) -> dict[str, Any]:
    workers = connected_machines(workspace.id)
    pauses = _pauses(workspace)
    recent = lately(workspace.id)
    may_steer = reach_of(request).holds(Scope.TASKS_WRITE, workspace.id)
    is_paused = any(pause.limit.kind == "workspace" for pause in pauses)
    return {
        "tiles": _tiles(workspace, len(workers), recent, is_paused=is_paused),
        "pauses": pauses,
        "is_paused": is_paused,
        "charts": _charts(recent),
        "is_capped": recent.is_capped,
        "reasons": _reasons(workspace),
        "may_pause": may_steer,
        "may_steer": may_steer,
        "needs": needs(workspace.id),
        "running": _running(workspace),
        "loads": _loads(workspace, workers),
        "workers_left_out": max(0, len(workers) - ROWS),
        "moves": [_move(event) for event in recent_moves(workspace.id, MOVES_SHOWN)],
        "has_workers": bool(workers),
        "has_codebases": codebases_of(workspace.id).exists(),
        "address": settings.A2A_AGENT_URL,
    }


def _tiles(workspace: Workspace, online: int, recent: Lately, *, is_paused: bool) -> list[Tile]:
    tasks = reverse("admin:tasks_task_changelist")
    counts = open_counts(workspace.id)
    asking = sum(counts[state] for state in ASKING_STATES)
    day = f"in {HOURS} hours"
    return [
        Tile("Running", counts["running"], f"{tasks}?state=running", "info" if counts["running"] else ""),
        Tile("Waiting", counts["pending"], f"{tasks}?state=pending", *(("warning", "paused") if is_paused else ())),
        Tile("Need input", asking, f"{tasks}?needs=person", "warning" if asking else ""),
        Tile("Completed", recent.completed, f"{tasks}?state=completed", "", day),
        Tile("Failed", recent.failed, f"{tasks}?state=failed", "danger" if recent.failed else "", day),
        Tile("Cost", f"${recent.cost_usd:,.2f}", tasks, "", day),
        Tile("Workers online", online, reverse("admin:workers_worker_changelist"), "" if online else "danger"),
    ]


def _charts(recent: Lately) -> list[Chart]:
    """None where nothing has ended: empty axes say nothing."""
    return [ended_chart(recent), time_chart(recent)] if any(hour.ended for hour in recent.hours) else []


def _running(workspace: Workspace) -> list[Running]:
    tasks = tasks_of(workspace.id).select_related("codebase").defer("prompt", "metadata", "result")
    found = list(tasks.filter(state=State.RUNNING).order_by("-created_at")[:ROWS])
    words = last_words([task.pk for task in found])
    return [Running(task, words.get(task.pk, "")) for task in found]


def _loads(workspace: Workspace, workers: list[Worker]) -> list[Load]:
    """The busiest first."""
    busy = running_by_worker(workspace.id)
    loads = [Load(worker, busy.get(worker.worker_id, 0), worker.concurrency) for worker in workers]
    return sorted(loads, key=lambda load: -load.busy)[:ROWS]


def _pauses(workspace: Workspace) -> list[Pause]:
    """What is paused here, that of the whole workspace first."""
    paused = limits_of(workspace.id).filter(paused_at__isnull=False).order_by("-kind", "key")[:ROWS]
    codebases = codebases_of(workspace.id).filter(id__in=[one.key for one in paused if one.kind == "codebase"])
    names = dict(codebases.values_list("id", "name"))
    return [Pause(place_name(one.kind, names.get(one.key, one.key)), one) for one in paused]


def _reasons(workspace: Workspace) -> list[Reason]:
    """Why tasks wait here, the commonest first."""
    counts = pending_by_reason(workspace.id)
    found = [Reason(*REASONS[code], number) for code, number in counts.items() if number]
    return sorted(found, key=lambda reason: -reason.number)


def _move(event: Any) -> Move:
    word, tone = WORDS.get(event.kind, (event.kind, "default"))
    url = reverse("admin:tasks_task_change", args=[event.task_id])
    return Move(event.task.title, url, word, tone, event.created_at)
