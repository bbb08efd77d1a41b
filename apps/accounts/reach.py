"""How far a signed-in person reaches in the pages: in which workspaces they may do what."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.accounts.models import Membership, User, Workspace
from apps.accounts.permissions import Role, Scope, scopes_of

_REMEMBERED = "_console_reach"


@dataclass(frozen=True, slots=True)
class Reach:
    """A person's roles by workspace; `everything` is a superuser's, who needs no membership."""

    everything: bool
    roles: Mapping[uuid.UUID, Role]
    home: uuid.UUID | None = None
    """The workspace that the protocol lane takes the person's session for: the oldest that they are in."""

    def holds(self, scope: Scope, workspace_id: uuid.UUID | None = None) -> bool:
        """Whether `scope` is held in that workspace (None: in any)."""
        if self.everything:
            return True
        if workspace_id is None:
            return any(scope in scopes_of(role) for role in self.roles.values())
        return workspace_id in self.roles and scope in scopes_of(self.roles[workspace_id])

    def narrowed[M: Model](self, rows: QuerySet[M], scope: Scope, workspace_attr: str) -> QuerySet[M]:
        """Those of `rows` whose workspace (its id is in `workspace_attr`) is one where `scope` is held."""
        if self.everything:
            return rows
        held: dict[str, Any] = {f"{workspace_attr}__in": [key for key in self.roles if self.holds(scope, key)]}
        return rows.filter(**held)

    def workspaces(self, scope: Scope) -> QuerySet[Workspace]:
        """The workspaces where `scope` is held, oldest first."""
        return self.narrowed(Workspace.objects.order_by("created_at"), scope, "id")

    def address_of(self, path: str, workspace_id: uuid.UUID) -> str:
        """Where the person's browser reads `path` of the protocol lane in that workspace; empty where they are no
        member of it: superusers see its pages, and cannot follow it there."""
        return f"{path}?workspace={workspace_id}" if workspace_id in self.roles else ""

    @property
    def is_wide(self) -> bool:
        """Whether there is more than one workspace to see, so that a page must say whose a row is."""
        return len(self.workspaces(Scope.TASKS_READ).values_list("id")[:2]) > 1


def reach_of(request: HttpRequest) -> Reach:
    """The reach of the request's user, looked up once a request (the request is its own thread's, pages are not)."""
    known: Reach | None = getattr(request, _REMEMBERED, None)
    if known is None:
        known = _look_up(request.user)
        setattr(request, _REMEMBERED, known)
    return known


def _look_up(user: Any) -> Reach:
    if not isinstance(user, User) or not user.is_active:
        return Reach(everything=False, roles={})
    rows = Membership.objects.filter(user=user).order_by("workspace__created_at").values_list("workspace_id", "role")
    roles = {workspace: Role(role) for workspace, role in rows}
    return Reach(everything=user.is_superuser, roles=roles, home=next(iter(roles), None))
