"""People behind a bearer token: by a login of ours (`/v1/auth/login`), or by a JWT of the identity provider."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.accounts.identities import visitor_admit, visitor_of
from apps.accounts.login_sessions import ACCESS_PREFIX, is_logged_out, login_by_access
from apps.accounts.models import Membership, User
from apps.accounts.oidc.provider import Provider, provider
from apps.accounts.oidc.tokens import BadTokenError, bearer_claims, looks_like_jwt
from apps.accounts.permissions import Role
from apps.core.errors import ForbiddenError, UnauthenticatedError


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, in which workspace and as what, until when."""

    name: str
    user_id: uuid.UUID
    workspace_id: uuid.UUID
    role: Role
    ends_at: datetime


def person_by_token(token: str) -> Person | None:
    """The person behind `token`; None where it has not the form of a person's token.

    UnauthenticatedError for a token that does not count, ForbiddenError for a person who belongs nowhere.
    """
    if token.startswith(ACCESS_PREFIX):
        return _by_login(token)
    found = provider() if looks_like_jwt(token) else None
    return _by_provider(found, token) if found is not None else None


def _by_login(token: str) -> Person:
    login = login_by_access(token)
    if login is None or login.access_expires_at is None:
        raise UnauthenticatedError("The access token is unknown or expired, or its login has ended: refresh it.")
    return _person(login.user, login.access_expires_at, login.workspace_id)


def _by_provider(found: Provider, token: str) -> Person:
    """Found by (issuer, subject), or made where the roles in the token give something."""
    claims = bearer_claims(found, token)
    issuer, subject, sid = found.settings.issuer, str(claims["sub"]), str(claims.get("sid") or "")
    issued_at, ends_at = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
    if is_logged_out(issuer=issuer, subject=subject, sid=sid, issued_at=issued_at):
        raise BadTokenError("The token's session has ended at the identity provider.")
    identity = visitor_admit(visitor=visitor_of(found.settings, subject, [claims]))
    if identity is None:
        raise ForbiddenError("The roles in this token give nothing here.")
    if not identity.user.is_active:
        raise UnauthenticatedError("The account is not active.")
    return _person(identity.user, ends_at)


def _person(user: User, ends_at: datetime, workspace_id: uuid.UUID | None = None) -> Person:
    """In the given workspace, else in the oldest that the user is in, as the pages have it."""
    mine = Membership.objects.filter(user=user).order_by("workspace__created_at")
    membership = (mine.filter(workspace_id=workspace_id) if workspace_id else mine).first()
    if membership is None:
        raise ForbiddenError(f"{user.get_username()} belongs to no workspace here; an admin can add them to one.")
    return Person(user.get_username(), user.pk, membership.workspace_id, Role(membership.role), ends_at)
