"""The console's front: its menu and its first page, put together from what tasks and workers know.

django-unfold calls these by name (settings: UNFOLD). Each is a few cheap queries bound to one workspace.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import Reach, reach_of
from apps.codebases.selectors import codebases_of
from apps.tasks.admin.places import place_name
from apps.tasks.selectors import (
    asking_count,
    ended_counts,
    limits_of,
    open_counts,
    recent_moves,
    stuck_tasks,
    tasks_of,
)
from apps.tasks.states import ASKING, State
from apps.workers.selectors import connected_machines
from apps.workers.waiting import pending_by_reason

ROWS = 8
MOVES_SHOWN = 12
DAY = timedelta(hours=24)
ASKING_STATES = [str(state) for state in ASKING]


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of the first page, and where it leads."""

    label: str
    value: int
    url: str
    tone: str = ""
    note: str = ""


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
    open_to = list(reach_of(request).workspaces(Scope.TASKS_READ)[:200])
    chosen = next((one for one in open_to if one.slug == request.GET.get("workspace")), open_to[0] if open_to else None)
    context |= {"title": "Overview", "workspaces": open_to if len(open_to) > 1 else [], "workspace": chosen}
    return context | _shown(chosen, request) if chosen else context


def _shown(workspace: Workspace, request: HttpRequest) -> dict[str, Any]:
    workers = connected_machines(workspace.id)
    pauses = _pauses(workspace)
    is_paused = any(pause.limit.kind == "workspace" for pause in pauses)
    tasks = tasks_of(workspace.id).select_related("codebase").defer("prompt", "metadata", "result")
    return {
        "tiles": _tiles(workspace, len(workers), is_paused=is_paused),
        "pauses": pauses,
        "is_paused": is_paused,
        "reasons": _reasons(workspace),
        "may_pause": reach_of(request).holds(Scope.TASKS_WRITE, workspace.id),
        "asking": list(tasks.filter(state__in=ASKING_STATES).order_by("updated_at")[:ROWS]),
        "stuck": list(stuck_tasks(workspace.id).order_by("lease_expires_at")[:ROWS]),
        "running": list(tasks.filter(state=State.RUNNING).order_by("-id")[:ROWS]),
        "workers": workers[:ROWS],
        "moves": [_move(event) for event in recent_moves(workspace.id, MOVES_SHOWN)],
        "has_codebases": codebases_of(workspace.id).exists(),
        "address": settings.A2A_AGENT_URL,
    }


def _tiles(workspace: Workspace, online: int, *, is_paused: bool) -> list[Tile]:
    tasks = reverse("admin:tasks_task_changelist")
    counts = open_counts(workspace.id)
    ended = ended_counts(workspace.id, timezone.now() - DAY)
    asking = sum(counts[state] for state in ASKING_STATES)
    return [
        Tile("Needs a person", asking, f"{tasks}?needs=person", "warning" if asking else ""),
        Tile("Running", counts["running"], f"{tasks}?state=running", "info" if counts["running"] else ""),
        Tile("Waiting", counts["pending"], f"{tasks}?state=pending", *(("warning", "paused") if is_paused else ())),
        Tile("Completed", ended["completed"], f"{tasks}?state=completed", "", "made in 24 hours"),
        Tile(
            "Failed", ended["failed"], f"{tasks}?state=failed", "danger" if ended["failed"] else "", "made in 24 hours"
        ),
        Tile("Workers online", online, reverse("admin:workers_worker_changelist"), "" if online else "danger"),
    ]


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


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, with only what the person may open."""
    reach = reach_of(request)
    work = [
        _entry("Overview", "dashboard", "admin:index"),
        _entry("Tasks", "task_alt", "admin:tasks_task_changelist", Scope.TASKS_READ, badge=_asking_badge(reach)),
        _entry("Codebases", "folder_code", "admin:codebases_codebase_changelist", Scope.CODEBASES_READ),
        _entry("Variables", "key_vertical", "admin:codebases_variable_changelist", Scope.CODEBASES_READ),
        _entry("Workers", "dns", "admin:workers_worker_changelist", Scope.TASKS_READ),
        _entry("Limits and pauses", "speed", "admin:tasks_queuelimit_changelist", Scope.TASKS_READ),
        _entry("Remote agents", "hub", "admin:federation_remoteagent_changelist", Scope.TASKS_READ),
        _entry("Push notifications", "send", "admin:a2a_face_pushconfig_changelist", Scope.TASKS_READ),
    ]
    access = [
        _entry("Invitations", "mail", "admin:accounts_invitation_changelist", Scope.ADMIN),
        _entry("API tokens", "key", "admin:accounts_apitoken_changelist", Scope.ADMIN),
        _entry("Members", "group", "admin:accounts_membership_changelist", Scope.ADMIN),
        _entry("Audit trail", "history", "admin:audit_auditentry_changelist", Scope.ADMIN),
        _entry("Workspaces", "domain", "admin:accounts_workspace_changelist", Scope.ADMIN),
    ]
    if reach.everything:
        access.append(_entry("Users", "person", "admin:accounts_user_changelist"))
    groups = [("", work), ("Access", access)]
    return [{"title": title, "separator": bool(title), "items": _allowed(items, reach)} for title, items in groups]


def _entry(title: str, icon: str, name: str, scope: Scope | None = None, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(name), "scope": scope, **more}


def _allowed(items: list[dict[str, Any]], reach: Reach) -> list[dict[str, Any]]:
    return [item for item in items if item["scope"] is None or reach.holds(item["scope"])]


def _asking_badge(reach: Reach) -> int | None:
    """How many tasks need a person, in all workspaces that the person sees."""
    seen = reach.workspaces(Scope.TASKS_READ).values_list("id", flat=True)
    return asking_count(list(seen)) or None


def stylesheet(request: HttpRequest) -> str:
    return static("codetether/console.css")


def script(request: HttpRequest) -> str:
    return static("codetether/console.js")


def favicon(request: HttpRequest) -> str:
    return static("codetether/favicon.svg")
