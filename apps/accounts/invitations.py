"""Invitations: an admin offers a role in the workspace, and whoever shows the secret becomes a member."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate as check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.digests import digest_of
from apps.accounts.members import check_may_give, member_add
from apps.accounts.models import Invitation, Membership, User
from apps.accounts.permissions import Role
from apps.accounts.principals import Credentials, Principal, authenticate, person_in_session
from apps.audit.actions import Action
from apps.audit.recording import record
from apps.core.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from apps.core.ids import parse_id
from apps.core.tenancy import EVERYWHERE, acting

PREFIX = "cti_"
LASTS = timedelta(days=7)
LONGEST = timedelta(days=90)


def invitation_create(
    *,
    workspace_id: uuid.UUID,
    role: Role,
    email: str = "",
    lasts: timedelta = LASTS,
    by: Principal | None = None,
    made_by: str = "",
) -> tuple[Invitation, str]:
    """Offer a role; returns the row and the secret, which is not kept. ForbiddenError for more than `by` holds."""
    if not timedelta(0) < lasts <= LONGEST:
        message = f"Give from 1 to {LONGEST.days} days."
        raise InvalidError(f"days: {message}", errors={"days": [message]})
    if by is not None:
        check_may_give(by, role)
    secret = PREFIX + secrets.token_urlsafe(32)
    row = Invitation(
        workspace_id=workspace_id,
        role=role,
        email=email,
        digest=digest_of(secret),
        made_by=by.name if by else made_by,
        expires_at=timezone.now() + lasts,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        _record(Action.INVITATION_CREATE, row, by=row.made_by)
    return row, secret


def invitations_of(workspace_id: uuid.UUID) -> QuerySet[Invitation]:
    """A workspace's invitations, newest first."""
    return Invitation.objects.filter(workspace_id=workspace_id).order_by("-created_at", "-id")


def invitation_get(*, workspace_id: uuid.UUID, invitation_id: object) -> Invitation:
    known = parse_id(invitation_id)
    found = invitations_of(workspace_id).filter(id=known).first() if known else None
    if found is None:
        raise _unknown()
    return found


def invitation_facts(invitation: Invitation) -> dict[str, Any]:
    """An invitation as admins see it; never its secret."""
    return {
        "id": str(invitation.id),
        "role": invitation.role,
        "email": invitation.email,
        "status": invitation_status(invitation),
        "made_by": invitation.made_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "accepted_at": invitation.accepted_at,
        "accepted_by": str(invitation.accepted_by_id) if invitation.accepted_by_id else None,
    }


def invitation_status(invitation: Invitation) -> str:
    """open, accepted, revoked or expired."""
    if invitation.accepted_at is not None:
        return "accepted"
    if invitation.revoked_at is not None:
        return "revoked"
    return "expired" if invitation.expires_at <= timezone.now() else "open"


def invitation_revoke(*, invitation: Invitation) -> None:
    """Take an offer back; one that was accepted, or taken back before, stays as it is."""
    open_still = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    with transaction.atomic():
        if open_still.update(revoked_at=timezone.now()):
            _record(Action.INVITATION_REVOKE, invitation)


def _record(action: Action, invitation: Invitation, by: str = "") -> None:
    said = {"role": invitation.role, "email": invitation.email}
    target = f"invitation:{invitation.pk}"
    record(action, workspace_id=invitation.workspace_id, by=by, target=target, details=said)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who shows an invitation: somebody who is signed in, or a name and password of an account old or new."""

    credentials: Credentials = Credentials()
    username: str = ""
    password: str = ""


def invitation_accept(*, secret: str, guest: Guest) -> Membership:
    """Make the guest a member, and their account where there is none of that name.

    NotFoundError for a secret that offers nothing (any more); UnauthenticatedError for a wrong password; InvalidError
    for what no new account can have; ConflictError for a member. Nothing changes then, and the offer stands.
    """
    now = timezone.now()
    with acting(EVERYWHERE), transaction.atomic():
        open_now = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)
        invitation = open_now.select_for_update().filter(digest=digest_of(secret)).first()
        if invitation is None:
            raise _unknown()
        user = _person(guest)
        by = user.get_username()
        role = Role(invitation.role)
        member = member_add(workspace_id=invitation.workspace_id, user=user, role=role, by=by)
        Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now, accepted_by=user)
        _record(Action.INVITATION_ACCEPT, invitation, by=by)
        return Membership.objects.select_related("workspace").get(pk=member.pk)


def _person(guest: Guest) -> User:
    if guest.username:
        known = User.objects.filter(username=guest.username).exists()
        return _known(guest) if known else _new(guest)
    if guest.credentials.authorization:
        principal = authenticate(guest.credentials)
        if principal.user_id is None or principal.token_id is not None:
            raise ForbiddenError("A program's token accepts no invitation: sign in as a person.")
        return User.objects.get(id=principal.user_id)
    user = person_in_session(guest.credentials.session_key) if guest.credentials.session_key else None
    if user is None:
        raise UnauthenticatedError("Sign in, or give the username and password of an account, old or new.")
    return user


def _known(guest: Guest) -> User:
    user = check_password(username=guest.username, password=guest.password)
    if not isinstance(user, User):
        raise UnauthenticatedError("There is an account of this name, and this is not its password.")
    return user


def _new(guest: Guest) -> User:
    user = User(username=guest.username)
    try:
        user.full_clean(exclude=["password"])
        validate_password(guest.password, user)
    except ValidationError as error:
        named = {"username": error.messages} if hasattr(error, "error_dict") else {"password": error.messages}
        raise InvalidError("No account can be made with these.", errors=named) from error
    user.set_password(guest.password)
    user.save()
    return user


def _unknown() -> NotFoundError:
    return NotFoundError("There is no such invitation, or it has ended.", code="invitation_not_found")
