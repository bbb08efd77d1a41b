"""People who come by the provider: found or made by (issuer, subject), and given what their roles there say."""

import hashlib
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Membership, User, Workspace
from apps.accounts.oidc.config import OidcSettings
from apps.accounts.oidc.grants import Access
from apps.accounts.oidc_models import OidcIdentity, OidcMembership
from apps.accounts.permissions import Role
from apps.accounts.refusals import trail_of
from apps.accounts.sign_in_notes import PROVIDER
from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.tenancy import EVERYWHERE, acting

log = logging.getLogger(__name__)

NAME_LENGTH = 120
_UNFIT = re.compile(r"[^\w.@+-]")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody as the provider describes them. `username` is a wish, `email` is for show."""

    issuer: str
    subject: str
    access: Access
    issued_at: datetime
    username: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""


def visitor_of(configured: OidcSettings, subject: str, claims: Sequence[Mapping[str, Any]]) -> Visitor:
    """The visitor that `claims` describe together; the first that says something wins, and it says when it was made."""

    def text(name: str, limit: int) -> str:
        said = [one[name] for one in claims if isinstance(one.get(name), str) and one[name]]
        return said[0].replace("\0", "")[:limit] if said else ""

    return Visitor(
        issuer=configured.issuer,
        subject=subject,
        access=configured.access_of(*claims),
        issued_at=datetime.fromtimestamp(claims[0]["iat"], UTC),
        username=text(configured.username_claim, NAME_LENGTH),
        email=text("email", 254),
        first_name=text("given_name", 150),
        last_name=text("family_name", 150),
    )


def visitor_sign_in(*, visitor: Visitor) -> OidcIdentity:
    """The visitor's identity, made with a new user where there is none, with what they may do now."""
    identity = _known(visitor) or _made(visitor)
    user = identity.user
    described = {"email": visitor.email, "first_name": visitor.first_name, "last_name": visitor.last_name}
    User.objects.filter(pk=user.pk).update(**{name: value for name, value in described.items() if value})
    OidcIdentity.objects.filter(pk=identity.pk).update(signed_in_at=timezone.now())
    access_apply(identity=identity, visitor=visitor)
    identity.user.refresh_from_db()
    return identity


def visitor_admit(*, visitor: Visitor) -> OidcIdentity | None:
    """As `visitor_sign_in`, for programs that bring a token: nobody is made whom the roles give nothing."""
    identity = _known(visitor)
    if identity is None:
        if not (visitor.access.roles or visitor.access.is_staff):
            return None
        return visitor_sign_in(visitor=visitor)
    is_news = identity.heard_at is None or visitor.issued_at > identity.heard_at
    if is_news or (visitor.issued_at == identity.heard_at and _changes(identity, visitor.access)):
        access_apply(identity=identity, visitor=visitor)
        identity.user.refresh_from_db()
    return identity


def access_apply(*, identity: OidcIdentity, visitor: Visitor) -> None:
    """Make memberships and flags what the visitor's roles give, where it was the provider that gave them.

    A token that is older than one that was heard before changes nothing: it would give back what was taken away since.
    What the provider takes away is taken away, also from a workspace's last admin, which people cannot do: an account
    that was ended there must not live on here. A superuser or `manage.py create_token` makes the next admin.
    The caller drops remembered lookups (`access_changed`) where something may have been taken away.
    """
    with acting(EVERYWHERE), deed(PROVIDER):
        locked = OidcIdentity.objects.select_for_update().get(pk=identity.pk)
        if locked.heard_at is not None and visitor.issued_at < locked.heard_at:
            return
        changes = _changes(locked, visitor.access)
        for change in changes:
            change.apply(locked)
        OidcIdentity.objects.filter(pk=locked.pk).update(heard_at=visitor.issued_at)
        _record(locked, changes)
    identity.refresh_from_db(fields=["gave_staff", "gave_superuser", "heard_at"])


def _record(identity: OidcIdentity, changes: Sequence["_Flag | _Place"]) -> None:
    """Each in the trail of the workspace that it is in; the chains in one order, so that nobody waits crosswise."""
    told = [(trail_of(change.workspace_id), change) for change in changes]
    username = identity.user.get_username()
    for workspace_id, change in sorted(told, key=lambda one: one[0]):
        record(
            change.action, workspace_id=workspace_id, by=PROVIDER, target=f"user:{identity.user_id}",
            details={"username": username, **change.said},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Flag:
    """`is_staff` or `is_superuser` is given, or taken back."""

    name: str
    value: bool

    workspace_id = None
    action = Action.PERSON_CHANGE

    @property
    def said(self) -> Mapping[str, Any]:
        return {self.name: self.value}

    def apply(self, identity: OidcIdentity) -> None:
        given = f"gave_{self.name.removeprefix('is_')}"
        User.objects.filter(pk=identity.user_id).update(**{self.name: self.value})
        OidcIdentity.objects.filter(pk=identity.pk).update(**{given: self.value})
        log.info("%s of %s is now %s, by the identity provider", self.name, identity.user, self.value)


@dataclass(frozen=True, slots=True)
class _Place:
    """A membership is made (there is none yet), changed, or ended (`role` None)."""

    workspace_id: uuid.UUID
    role: Role | None
    membership_id: int | None

    @property
    def action(self) -> Action:
        if self.role is None:
            return Action.MEMBER_REMOVE
        return Action.MEMBER_CHANGE if self.membership_id is not None else Action.MEMBER_ADD

    @property
    def said(self) -> Mapping[str, Any]:
        return {"role": self.role}

    def apply(self, identity: OidcIdentity) -> None:
        if self.membership_id is not None:
            held = Membership.objects.filter(pk=self.membership_id)
            held.update(role=self.role) if self.role else held.delete()
        elif self.role is not None:
            row, is_new = Membership.objects.get_or_create(
                user_id=identity.user_id, workspace_id=self.workspace_id, defaults={"role": self.role}
            )
            if is_new:
                OidcMembership.objects.create(membership=row, identity=identity)
        log.info("%s in workspace %s is now %s, by the identity provider", identity.user, self.workspace_id, self.role)
        admins = Membership.objects.filter(workspace_id=self.workspace_id, role=Role.ADMIN, user__is_active=True)
        if not admins.exists():
            log.warning("The identity provider has left workspace %s without an admin", self.workspace_id)


def _changes(identity: OidcIdentity, access: Access) -> list[_Flag | _Place]:
    """What must change for `access` to be so."""
    user = identity.user
    changes: list[_Flag | _Place] = []
    for name, wanted, gave in (
        ("is_staff", access.is_staff, identity.gave_staff),
        ("is_superuser", access.is_superuser, identity.gave_superuser),
    ):
        if (wanted and not getattr(user, name)) or (gave and not wanted):
            changes.append(_Flag(name, wanted))
    wanted_roles = _by_workspace(access.roles)
    rows = Membership.objects.filter(user_id=user.pk).values_list("workspace_id", "pk", "role", "by_oidc__identity_id")
    held = {workspace: (pk, role, by) for workspace, pk, role, by in rows}
    for workspace, role in wanted_roles.items():
        pk, has, by = held.get(workspace, (None, None, None))
        if pk is None or (by == identity.pk and has != role):
            changes.append(_Place(workspace, role, pk))
    ended = [workspace for workspace, (_, _, by) in held.items() if by == identity.pk and workspace not in wanted_roles]
    return [*changes, *(_Place(workspace, None, held[workspace][0]) for workspace in ended)]


def _by_workspace(roles: Mapping[str, Role]) -> dict[uuid.UUID, Role]:
    """The roles by the id of workspaces that there are; the provider makes none."""
    if not roles:
        return {}
    found = dict(Workspace.objects.filter(slug__in=roles).values_list("slug", "id"))
    return {found[slug]: role for slug, role in roles.items() if slug in found}


def _known(visitor: Visitor) -> OidcIdentity | None:
    found = OidcIdentity.objects.select_related("user").filter(issuer=visitor.issuer, subject=visitor.subject)
    return found.first()


def _made(visitor: Visitor) -> OidcIdentity:
    """A new user with an identity; the same one for two who come at once."""
    try:
        with transaction.atomic():
            user = User(username=_free_name(visitor), email=visitor.email)
            user.set_unusable_password()
            user.save()
            return OidcIdentity.objects.create(user=user, issuer=visitor.issuer, subject=visitor.subject)
    except IntegrityError:
        known = _known(visitor)
        if known is not None:
            return known
        if not visitor.username:
            raise
        return _made(replace(visitor, username=""))


def _free_name(visitor: Visitor) -> str:
    """The wished name, unless somebody has it already: a name is no proof of being that person."""
    mark = hashlib.sha256(f"{visitor.issuer}\n{visitor.subject}".encode()).hexdigest()[:10]
    wished = _UNFIT.sub("-", visitor.username)
    if not wished:
        return f"oidc-{mark}"
    return f"{wished}-{mark}" if User.objects.filter(username__iexact=wished).exists() else wished
