"""Members of a workspace and their roles. A workspace never loses its last admin."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import Membership, User, Workspace
from apps.accounts.permissions import Role, scopes_of
from apps.accounts.principals import Principal, access_changed
from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.errors import ConflictError, ForbiddenError, NotFoundError
from apps.core.ids import parse_id


def members_of(workspace_id: uuid.UUID) -> QuerySet[Membership]:
    """The memberships of a workspace, by name."""
    rows = Membership.objects.filter(workspace_id=workspace_id)
    return rows.select_related("user", "workspace").order_by("user__username", "id")


def member_get(*, workspace_id: uuid.UUID, user_id: object) -> Membership:
    """That person's membership; NotFoundError where there is none."""
    known = parse_id(user_id)
    found = members_of(workspace_id).filter(user_id=known).first() if known else None
    if found is None:
        raise NotFoundError("There is no such member.", code="member_not_found")
    return found


def member_facts(member: Membership) -> dict[str, Any]:
    """A member as clients see them."""
    return {
        "user_id": str(member.user_id),
        "username": member.user.get_username(),
        "name": member.user.get_full_name(),
        "email": member.user.email,
        "role": member.role,
        "is_active": member.user.is_active,
        "created_at": member.created_at,
    }


def workspaces_of(principal: Principal) -> list[tuple[Workspace, str]]:
    """The workspaces in which the caller may act, oldest first, each with the role: a program's own alone."""
    if principal.user_id is None or principal.token_id is not None:
        return [(Workspace.objects.get(id=principal.workspace_id), principal.role)]
    rows = Membership.objects.filter(user_id=principal.user_id).select_related("workspace")
    return [(row.workspace, row.role) for row in rows.order_by("workspace__created_at")]


def member_add(*, workspace_id: uuid.UUID, user: User, role: Role, by: str = "") -> Membership:
    """Make a person a member; ConflictError where they are one."""
    with deed(by):
        member, is_new = Membership.objects.get_or_create(workspace_id=workspace_id, user=user, defaults={"role": role})
        if not is_new:
            raise ConflictError(f"{user.get_username()} is a member already.", code="member_exists")
        access_changed()
        _record(Action.MEMBER_ADD, member, by, role=role)
    return member


def member_set_role(*, member: Membership, role: Role, by: Principal | None = None) -> Membership:
    """Give a member another role; ForbiddenError where it, or the one before, holds more than `by` does."""
    if by is not None:
        check_may_give(by, Role(member.role), role)
    with _never_without_admin(member.workspace_id):
        was = Membership.objects.values_list("role", flat=True).get(pk=member.pk)
        Membership.objects.filter(pk=member.pk).update(role=role)
        _record(Action.MEMBER_CHANGE, member, role=role, was=was)
    member.role = role
    return member


def member_remove(*, member: Membership, by: Principal | None = None) -> None:
    """End a membership; tokens of that person in this workspace end with it."""
    if by is not None:
        check_may_give(by, Role(member.role))
    with _never_without_admin(member.workspace_id):
        Membership.objects.filter(pk=member.pk).delete()
        _record(Action.MEMBER_REMOVE, member, was=member.role)


def _record(action: Action, member: Membership, by: str = "", **details: str) -> None:
    said = {"username": member.user.get_username(), **details}
    record(action, workspace_id=member.workspace_id, by=by, target=f"user:{member.user_id}", details=said)


def is_last_admin(member: Membership) -> bool:
    """Whether the workspace would be left without an admin if this one were none."""
    admins = Membership.objects.filter(workspace_id=member.workspace_id, role=Role.ADMIN, user__is_active=True)
    return admins.filter(pk=member.pk).exists() and not admins.exclude(pk=member.pk).exists()


def check_may_give(by: Principal, *roles: Role) -> None:
    """ForbiddenError where a role holds what `by` does not: nobody raises anybody above themselves."""
    if any(not scopes_of(role) <= by.scopes for role in roles):
        raise ForbiddenError("A role that holds more than the caller does is not the caller's to give or to take.")


@contextmanager
def _never_without_admin(workspace_id: uuid.UUID) -> Iterator[None]:
    """Undo what is done within where it takes the workspace's last admin. Such changes take turns."""
    admins = Membership.objects.filter(workspace_id=workspace_id, role=Role.ADMIN, user__is_active=True)
    with deed():
        Workspace.objects.select_for_update(no_key=True).get(id=workspace_id)
        had = admins.exists()
        yield
        if had and not admins.exists():
            raise ConflictError("A workspace keeps an admin: make somebody else one first.", code="last_admin")
        access_changed()
