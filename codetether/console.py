"""The console's menu and its looks. What stands on its first page is in `codetether.overview`.

django-unfold calls these by name (settings: UNFOLD). Each is a few cheap queries.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape

from apps.accounts.permissions import Scope
from apps.accounts.reach import Reach, reach_of
from apps.accounts.saved_links import links_of
from apps.accounts.saved_pages import person
from codetether.badges import Badge, badges


@dataclass(frozen=True, slots=True)
class Page:
    """One of the menu: shown to who holds `scope` somewhere; None: to everybody."""

    title: str
    icon: str
    name: str
    scope: Scope | None = None

    @property
    def link(self) -> str:
        return reverse(self.name)


WORK = [
    Page("Overview", "dashboard", "admin:index"),
    Page("Tasks", "task_alt", "admin:tasks_task_changelist", Scope.TASKS_READ),
    Page("Sessions", "forum", "admin:agent_sessions_agentsession_changelist", Scope.SESSIONS_READ),
    Page("Codebases", "folder_code", "admin:codebases_codebase_changelist", Scope.CODEBASES_READ),
    Page("Variables", "key_vertical", "admin:codebases_variable_changelist", Scope.CODEBASES_READ),
    Page("Workers", "dns", "admin:workers_worker_changelist", Scope.TASKS_READ),
    Page("Limits and pauses", "speed", "admin:tasks_queuelimit_changelist", Scope.TASKS_READ),
    Page("Remote agents", "hub", "admin:federation_remoteagent_changelist", Scope.TASKS_READ),
    Page("A2A receivers", "send", "admin:a2a_face_pushconfig_changelist", Scope.TASKS_READ),
]
ACCESS = [
    Page("Invitations", "mail", "admin:accounts_invitation_changelist", Scope.ADMIN),
    Page("API tokens", "key", "admin:accounts_apitoken_changelist", Scope.ADMIN),
    Page("Members", "group", "admin:accounts_membership_changelist", Scope.ADMIN),
    Page("Audit trail", "history", "admin:audit_auditentry_changelist", Scope.ADMIN),
    Page("Workspaces", "domain", "admin:accounts_workspace_changelist", Scope.ADMIN),
]
OWN = [Page("Notifications", "notifications", "notifications")]
"""What is the person's and no workspace's."""
USERS = Page("Users", "person", "admin:accounts_user_changelist")
"""For superusers only."""


def pages(reach: Reach) -> Iterator[Page]:
    """The pages of the menu that the person may open."""
    yield from _allowed(WORK, reach)
    yield from _access(reach)
    yield from OWN


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, with only what the person may open."""
    reach = reach_of(request)
    beside = {badge.name: badge for badge in badges(reach)}
    groups: list[tuple[str, Iterable[Page]]] = [("", _allowed(WORK, reach)), ("Access", _access(reach)), ("You", OWN)]
    menu: list[dict[str, Any]] = [
        {"title": title, "separator": bool(title), "items": [_entry(page, beside.get(page.name)) for page in listed]}
        for title, listed in groups
    ]
    return [menu[0], {"title": "Saved lists", "separator": True, "items": _saved(request)}, *menu[1:]]


def _saved(request: HttpRequest) -> list[dict[str, Any]]:
    """What the person has saved. unfold takes a title for HTML, and theirs is not."""
    here = request.get_full_path()
    return [
        {"title": escape(link.name), "icon": "bookmark", "link": link.path, "active": link.path == here}
        for link in links_of(person(request))
    ]


def _access(reach: Reach) -> Iterator[Page]:
    return _allowed([*ACCESS, *([USERS] if reach.everything else [])], reach)


def _allowed(listed: Iterable[Page], reach: Reach) -> Iterator[Page]:
    return (page for page in listed if page.scope is None or reach.holds(page.scope))


def _entry(page: Page, badge: Badge | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"title": page.title, "icon": page.icon, "link": page.link}
    return entry | {"badge": badge.words, "badge_variant": badge.tone} if badge else entry


def stylesheet(request: HttpRequest) -> str:
    return static("codetether/console.css")


def script(request: HttpRequest) -> str:
    return static("codetether/console.js")


def favicon(request: HttpRequest) -> str:
    return static("codetether/favicon.svg")


def touch_icon(request: HttpRequest) -> str:
    """For a phone's home screen, where no SVG is taken."""
    return static("codetether/icons/apple-180.png")


def manifest(request: HttpRequest) -> str:
    """What makes the console an app that can be installed."""
    return static("codetether/app.webmanifest")


def app_script(request: HttpRequest) -> str:
    return static("codetether/app.js")
