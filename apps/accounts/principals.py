"""Who is asking. Both lanes, every face: `authenticate(credentials)` gives a `Principal` or raises.

Lookups by token are remembered for `REMEMBER_SECONDS`, because every request needs one; revoking a token forgets it
at once in the process that revokes and within that time everywhere else.
"""

import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import ApiToken, Membership, Workspace
from apps.accounts.permissions import Role, Scope, scopes_of
from apps.core.errors import ForbiddenError, UnauthenticatedError

REMEMBER_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller, bound to one workspace. `name` is what the log and the audit show."""

    name: str
    workspace_id: uuid.UUID
    role: Role
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    user_id: uuid.UUID | None = None
    by_cookie: bool = False

    is_authenticated = True

    def require(self, scope: Scope) -> None:
        """Raise ForbiddenError unless this principal holds `scope`."""
        if scope not in self.scopes:
            raise ForbiddenError(f"This needs the scope '{scope}', which {self.name} does not hold.")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought: the `Authorization` header, and the session cookie of a signed-in browser."""

    authorization: str = ""
    session_key: str = ""


_remembered: dict[str, tuple[float, Principal]] = {}


def remembered(credentials: Credentials) -> Principal | None:
    """The principal of a lookup made within the last seconds, without touching the database."""
    token = _bearer(credentials.authorization)
    if not token:
        return None
    expires, principal = _remembered.get(_digest(token), (0.0, None))
    return principal if principal is not None and expires > time.monotonic() else None


def authenticate(credentials: Credentials) -> Principal:
    """The principal behind `credentials`; UnauthenticatedError when there is none (RFC 6750 §3.1)."""
    if not settings.A2A_AUTH_ENABLED:
        return _principal("anonymous", default_workspace_id(), Role.ADMIN)
    if credentials.authorization:
        return remembered(credentials) or _remember(credentials.authorization)
    if credentials.session_key:
        return _from_session(credentials.session_key)
    raise UnauthenticatedError("Give a token: 'Authorization: Bearer TOKEN'.")


def forget_tokens() -> None:
    """Drop every remembered lookup of this process (a token or a membership has changed)."""
    _remembered.clear()


def default_workspace_id() -> uuid.UUID:
    """The default workspace's id; it is made by a migration, so it always exists."""
    return Workspace.objects.values_list("id", flat=True).get(slug=Workspace.DEFAULT_SLUG)


def digest_of(secret: str) -> str:
    """What we keep of a token's secret. The secret is random, so a plain SHA-256 is enough."""
    return _digest(secret)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _bearer(authorization: str) -> str:
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _remember(authorization: str) -> Principal:
    token = _bearer(authorization)
    if not token:
        raise UnauthenticatedError("The Authorization header is not 'Bearer TOKEN'.")
    principal = _from_settings(token) or _from_database(token)
    if len(_remembered) >= REMEMBER_AT_MOST:
        _remembered.clear()
    _remembered[_digest(token)] = (time.monotonic() + REMEMBER_SECONDS, principal)
    return principal


def _from_settings(token: str) -> Principal | None:
    """`A2A_AUTH_TOKENS`: every one is compared, in constant time, so the time taken tells nothing."""
    found = None
    for name, known in settings.A2A_AUTH_TOKENS.items():
        if hmac.compare_digest(_digest(known), _digest(token)):
            found = name
    return _principal(found, default_workspace_id(), Role.ADMIN) if found else None


def _from_database(token: str) -> Principal:
    now = timezone.now()
    row = (
        ApiToken.objects.filter(digest=_digest(token), revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(Q(user=None) | Q(user__is_active=True))
        .first()
    )
    if row is None:
        raise UnauthenticatedError("The token is unknown, revoked or expired.")
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return _principal(row.name, row.workspace_id, Role(row.role), narrowed_to=row.scopes, user_id=row.user_id)


def _from_session(session_key: str) -> Principal:
    """Django's own check, which also ends sessions from before a change of password."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    membership = (
        Membership.objects.filter(user_id=user.pk, user__is_active=True)
        .select_related("user")
        .order_by("workspace__created_at")
        .first()
        if user.is_authenticated
        else None
    )
    if membership is None:
        raise UnauthenticatedError("The session has ended, or its user belongs to no workspace: sign in again.")
    return _principal(
        membership.user.get_username(),
        membership.workspace_id,
        Role(membership.role),
        user_id=membership.user_id,
        by_cookie=True,
    )


def _principal(
    name: str,
    workspace_id: uuid.UUID,
    role: Role,
    *,
    narrowed_to: list[str] | None = None,
    user_id: uuid.UUID | None = None,
    by_cookie: bool = False,
) -> Principal:
    return Principal(name, workspace_id, role, scopes_of(role, narrowed_to or []), user_id, by_cookie)
