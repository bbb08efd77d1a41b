"""The console's menu and its looks. What stands on its first page is in `codetether.overview`.

django-unfold calls these by name (settings: UNFOLD). Each is a few cheap queries.
"""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from apps.accounts.permissions import Scope
from apps.accounts.reach import Reach, reach_of
from apps.tasks.selectors import asking_count


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
