"""Who is asking. Both lanes, every face: `authenticate(credentials)` gives a `Principal` or raises.

Lookups by token are remembered for `REMEMBER_SECONDS`, because every request needs one. Whoever changes what a token
or a person may do calls `access_changed`: this process forgets at once, the others with its wake-up, and where that is
lost within that time.
"""

import hmac
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.digests import digest_of
from apps.accounts.models import ApiToken, Membership, User, Workspace
from apps.accounts.people import person_by_token
from apps.accounts.permissions import Role, Scope, scopes_of
from apps.core.caller import caller
from apps.core.errors import ForbiddenError, UnauthenticatedError
from apps.core.ids import parse_id
from apps.core.tenancy import EVERYWHERE, act_for, acting
from apps.core.waiter import WakeUp
from apps.core.wakeups import publish

REMEMBER_SECONDS = 5.0
REMEMBER_AT_MOST = 10_000
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller, bound to one workspace. `name` is what the log and the audit show.

    `codebases`, where a worker's token names some, are all that its worker serves; `ends_at` is when the token expires.
    One with a `user_id` and no `token_id` is a person, who may choose among their workspaces.
    """

    name: str
    workspace_id: uuid.UUID
    role: Role
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    user_id: uuid.UUID | None = None
    by_cookie: bool = False
    codebases: frozenset[str] | None = None
    ends_at: datetime | None = None
    token_id: uuid.UUID | None = None

    is_authenticated = True

    @property
    def identity(self) -> str:
        """Which one of its name: `token:ID`, `user:ID`; empty for a token of the settings, whose name is its own."""
        if self.token_id is not None:
            return f"token:{self.token_id}"
        return f"user:{self.user_id}" if self.user_id is not None else ""

    def require(self, scope: Scope) -> None:
        """Raise ForbiddenError unless this principal holds `scope`."""
        if scope not in self.scopes:
            raise ForbiddenError(f"This needs the scope '{scope}', which {self.name} does not hold.")

    def require_codebase(self, codebase_id: str) -> None:
        """Raise ForbiddenError where this principal is bound to other codebases."""
        if self.codebases is not None and codebase_id not in self.codebases:
            raise ForbiddenError(f"{self.name} is not for the codebase '{codebase_id}'.", code="codebase_forbidden")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought: the `Authorization` header, the session cookie of a signed-in browser, and the workspace
    that it names (slug or id; empty: none)."""

    authorization: str = ""
    session_key: str = ""
    workspace: str = ""


_remembered: dict[str, tuple[float, Principal]] = {}
_forgotten = 0
"""How often all was forgotten: what was looked up before is not to be remembered afterwards."""


def remembered(credentials: Credentials) -> Principal | None:
    """The principal of a lookup made within the last seconds, without touching the database."""
    token = _bearer(credentials.authorization)
    if not token:
        return None
    expires, principal = _remembered.get(_key(token, credentials.workspace), (0.0, None))
    return principal if principal is not None and expires > time.monotonic() else None


def authenticate(credentials: Credentials) -> Principal:
    """The principal behind `credentials`; UnauthenticatedError when there is none (RFC 6750 §3.1)."""
    with acting(EVERYWHERE):  # whose the credentials are is what is to be found out
        if not settings.A2A_AUTH_ENABLED:
            return _principal("anonymous", default_workspace_id(), Role.ADMIN)
        try:
            if credentials.authorization:
                return remembered(credentials) or _remember(credentials)
            if credentials.session_key:
                return _chosen(_from_session(credentials.session_key), credentials.workspace)
        except (UnauthenticatedError, ForbiddenError):
            caller().brought = digest_of(_bearer(credentials.authorization) or credentials.session_key)
            raise
    raise UnauthenticatedError("Give a token: 'Authorization: Bearer TOKEN'.")


def acts_as(principal: Principal) -> None:
    """From here on this context acts for the principal's workspace, and the trail knows who calls."""
    act_for(principal.workspace_id)
    _tell(principal)


def _tell(principal: Principal) -> None:
    here = caller()
    here.name, here.identity, here.workspace_id = principal.name, principal.identity, principal.workspace_id


def forget_tokens() -> None:
    """Drop every remembered lookup of this process, those that are under way included."""
    global _forgotten  # noqa: PLW0603
    _forgotten += 1
    _remembered.clear()


def access_changed() -> None:
    """What a token or a person may do has changed: every process looks again, and asks for its open streams."""
    forget_tokens()
    transaction.on_commit(_announce_change)


def _announce_change() -> None:
    forget_tokens()  # again: until the commit, others could still look up what was
    publish(WakeUp.of_access())


def default_workspace_id() -> uuid.UUID:
    """The default workspace's id; it is made by a migration, so it always exists."""
    return Workspace.objects.values_list("id", flat=True).get(slug=Workspace.DEFAULT_SLUG)


def token_that_counts(token_id: uuid.UUID | None) -> ApiToken | None:
    """The token of that id, where it is neither revoked nor expired, and its person may still act."""
    return _tokens_at(timezone.now()).filter(pk=token_id).first() if token_id is not None else None


def _bearer(authorization: str) -> str:
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _key(token: str, workspace: str) -> str:
    return digest_of(token) + workspace


def _remember(credentials: Credentials) -> Principal:
    token = _bearer(credentials.authorization)
    if not token:
        raise UnauthenticatedError("The Authorization header is not 'Bearer TOKEN'.")
    before = _forgotten
    principal = _chosen(_from_settings(token) or _from_person(token) or _from_database(token), credentials.workspace)
    if len(_remembered) >= REMEMBER_AT_MOST:
        _remembered.clear()
    if _forgotten == before:
        _remembered[_key(token, credentials.workspace)] = (time.monotonic() + _remember_seconds(principal), principal)
    return principal


def _remember_seconds(principal: Principal) -> float:
    if principal.ends_at is None:
        return REMEMBER_SECONDS
    return min(REMEMBER_SECONDS, (principal.ends_at - timezone.now()).total_seconds())


def _from_settings(token: str) -> Principal | None:
    """`A2A_AUTH_TOKENS`: every one is compared, in constant time, so the time taken tells nothing."""
    found = None
    for name, known in settings.A2A_AUTH_TOKENS.items():
        if hmac.compare_digest(digest_of(known), digest_of(token)):
            found = name
    return _principal(found, default_workspace_id(), Role.ADMIN) if found else None


def _from_person(token: str) -> Principal | None:
    """Somebody who has signed in, here or at the identity provider; None where the token has not that form."""
    person = person_by_token(token)
    if person is None:
        return None
    return Principal(
        name=person.name,
        workspace_id=person.workspace_id,
        role=person.role,
        scopes=scopes_of(person.role),
        user_id=person.user_id,
        ends_at=person.ends_at,
    )


def _from_database(token: str) -> Principal:
    now = timezone.now()
    row = _tokens_at(now).filter(_shown(digest_of(token), now)).first()
    if row is None:
        raise UnauthenticatedError("The token is unknown, revoked or expired.")
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    scopes = scopes_of(Role(row.role), row.scopes)
    if row.user is not None and not row.user.is_superuser:
        scopes &= scopes_of(Role(row.owners_role))
    return Principal(
        name=row.name,
        workspace_id=row.workspace_id,
        role=Role(row.role),
        scopes=scopes,
        user_id=row.user_id,
        codebases=frozenset(row.codebases) if row.codebases else None,
        ends_at=row.expires_at,
        token_id=row.pk,
    )


def _shown(digest: str, now: datetime) -> Q:
    """Tokens with that secret; one that was replaced counts as long as its overlap lasts."""
    return Q(digest=digest) | Q(previous_digest=digest, previous_until__gt=now)


def _tokens_at(now: datetime) -> QuerySet[ApiToken]:
    """Tokens that count. One of a person never outlives their account and membership, nor holds more than these."""
    theirs = Membership.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
    role: dict[str, Any] = {"owners_role": Subquery(theirs.values("role")[:1])}
    return (
        ApiToken.objects.select_related("user")
        .annotate(**role)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
        .filter(Q(user=None) | Q(user__is_active=True) & (Q(user__is_superuser=True) | Q(owners_role__isnull=False)))
    )


def _chosen(principal: Principal, workspace: str) -> Principal:
    """The principal in the workspace that was named: a person in any that they are in, a program in its own alone.

    ForbiddenError in all other cases, which look the same whether there is such a workspace or not.
    """
    if not workspace:
        return principal
    named = Q(slug=workspace) | Q(id=parse_id(workspace)) if parse_id(workspace) else Q(slug=workspace)
    if Workspace.objects.filter(named, id=principal.workspace_id).exists():
        return principal
    membership = None
    if principal.user_id is not None and principal.token_id is None:
        theirs = Membership.objects.filter(user_id=principal.user_id)
        membership = theirs.filter(workspace__in=Workspace.objects.filter(named)).first()
    if membership is None:
        _tell(principal)
        raise ForbiddenError(f"{principal.name} is in no workspace of this name.", code="workspace_forbidden")
    role = Role(membership.role)
    return replace(principal, workspace_id=membership.workspace_id, role=role, scopes=scopes_of(role))


def person_in_session(session_key: str) -> User | None:
    """Whoever is signed in with this session, in a workspace or not: Django's own check, which also ends sessions from
    before a change of password."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def _from_session(session_key: str) -> Principal:
    """In the oldest workspace that the person is in."""
    user = person_in_session(session_key)
    mine = Membership.objects.filter(user=user).order_by("workspace__created_at") if user else None
    membership = mine.first() if mine is not None else None
    if user is None or membership is None:
        raise UnauthenticatedError("The session has ended, or its user belongs to no workspace: sign in again.")
    role = Role(membership.role)
    return _principal(user.get_username(), membership.workspace_id, role, user_id=user.pk, by_cookie=True)


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
