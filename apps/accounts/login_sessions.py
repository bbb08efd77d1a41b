"""Logins that last: begun with a password or by the provider, refreshed, listed and ended.

A program that acts for a person holds an access token for minutes and a refresh token for days. Each refresh gives
new ones and spends the old; a refresh token that comes a second time has been copied, so its whole login ends.
"""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.digests import digest_of
from apps.accounts.login_models import LoginSession, SpentRefresh
from apps.accounts.models import Membership, User
from apps.accounts.oidc_models import OidcIdentity, OidcLogout
from apps.accounts.sign_in_notes import PROVIDER, logins_end_note
from apps.audit.recording import SERVER
from apps.core.errors import ForbiddenError, UnauthenticatedError

ACCESS_PREFIX, REFRESH_PREFIX = "cts_", "ctr_"
ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=14)
LOGIN_LASTS = timedelta(days=90)
LOGIN_BY_PROVIDER_LASTS = timedelta(hours=12)
"""Shorter, because the provider may have changed or ended the account meanwhile."""
KEPT = timedelta(days=7)
"""How long ended logins are kept, and what is known of logouts at the provider."""
USED_STEP = timedelta(minutes=1)


class RefreshRefusedError(UnauthenticatedError):
    """`ended`: whether a login ended by it, so that remembered lookups must be dropped."""

    code = "refresh_refused"

    def __init__(self, detail: str, *, ended: bool) -> None:
        super().__init__(detail)
        self.ended = ended


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program is given, once."""

    login: LoginSession
    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login comes from, for the list of one's logins."""

    client: str = ""
    address: str = ""


def login_start(
    *, user: User, workspace: str = "", origin: Origin, identity: OidcIdentity | None = None, sid: str = ""
) -> Tokens:
    """Begin a login for programs, in the workspace with that slug (empty: the oldest that the user is in)."""
    mine = Membership.objects.filter(user=user).order_by("workspace__created_at")
    membership = (mine.filter(workspace__slug=workspace) if workspace else mine).first()
    if membership is None:
        raise ForbiddenError("This account belongs to no such workspace; an admin can add it to one.")
    now = timezone.now()
    login = LoginSession(
        user=user, identity=identity, sid=sid, kind=LoginSession.Kind.API, workspace_id=membership.workspace_id,
        password_mark=user.get_session_auth_hash(), client=origin.client[:200], address=origin.address[:64],
        expires_at=now + (LOGIN_BY_PROVIDER_LASTS if identity else LOGIN_LASTS), last_used_at=now,
    )  # fmt: skip
    access, refresh = _renew(login, now)
    login.save()
    return Tokens(login, access, refresh)


def login_refresh(*, refresh_token: str) -> Tokens:
    """New tokens for a refresh token, which is spent by it; RefreshRefusedError where it is not good."""
    digest, now = digest_of(refresh_token), timezone.now()
    with transaction.atomic():
        login = LoginSession.objects.select_for_update(of=["self"]).select_related("user").filter(
            _living(now), refresh_digest=digest, refresh_expires_at__gt=now
        ).first()  # fmt: skip
        if login is not None and _still_holds(login):
            SpentRefresh.objects.create(digest=digest, login=login)
            access, refresh = _renew(login, now)
            login.last_used_at = now
            login.save()
            return Tokens(login, access, refresh)
    copied = SpentRefresh.objects.filter(digest=digest).values_list("login_id", flat=True)
    spent = LoginSession.objects.filter(pk__in=copied)
    ended = logins_end(logins=spent, reason="a refresh token came twice", by=SERVER)
    raise RefreshRefusedError("The refresh token is unknown, spent or expired: sign in again.", ended=ended > 0)


def login_by_access(token: str) -> LoginSession | None:
    """The login whose access token this is, if it still counts; its user is loaded."""
    now = timezone.now()
    found = LoginSession.objects.select_related("user").filter(
        _living(now), access_digest=digest_of(token), access_expires_at__gt=now
    ).first()  # fmt: skip
    if found is None or not _still_holds(found):
        return None
    if found.last_used_at is None or now - found.last_used_at > USED_STEP:
        LoginSession.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def browser_login_note(
    *, session_key: str, identity: OidcIdentity, sid: str, ends_at: datetime, origin: Origin
) -> None:
    """Remember that a browser's session came by the provider, so that the provider can end it."""
    LoginSession.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user": identity.user, "identity": identity, "sid": sid, "kind": LoginSession.Kind.BROWSER,
            "expires_at": ends_at, "client": origin.client[:200], "address": origin.address[:64],
            "ended_at": None, "end_reason": "",
        },
    )  # fmt: skip


def own_logins(user_id: uuid.UUID) -> QuerySet[LoginSession]:
    """A person's logins that go on, newest first."""
    return LoginSession.objects.filter(_living(timezone.now()), user_id=user_id).order_by("-created_at", "-id")


def logins_end(*, logins: QuerySet[LoginSession], reason: str, by: str = "") -> int:
    """End those of `logins` that go on, their browsers' sessions with them; returns how many there were.

    The caller drops remembered lookups (`forget_tokens`).
    """
    with transaction.atomic():
        found = logins.filter(ended_at=None).select_related("user").order_by("id")
        rows = list(found.select_for_update(of=["self"]))
        LoginSession.objects.filter(pk__in=[row.pk for row in rows]).update(
            ended_at=timezone.now(), end_reason=reason, session_key=None
        )
        _drop_browsers(row.session_key for row in rows if row.session_key)
        logins_end_note(logins=rows, why=reason, by=by)
    return len(rows)


def provider_logout(*, issuer: str, jti: str, subject: str, sid: str, issued_at: datetime) -> int | None:
    """End what the provider's logout names: the session `sid`, or all of `subject`. None: this was heard before."""
    with transaction.atomic():
        _, is_new = OidcLogout.objects.get_or_create(
            issuer=issuer, jti=jti, defaults={"subject": subject, "sid": sid, "issued_at": issued_at}
        )
        if not is_new:
            return None
        named = LoginSession.objects.filter(identity__issuer=issuer)
        if subject:
            named = named.filter(identity__subject=subject)
        if sid:
            named = named.filter(sid=sid)
        return logins_end(logins=named, reason="logged out at the identity provider", by=PROVIDER)


def is_logged_out(*, issuer: str, subject: str, sid: str, issued_at: datetime) -> bool:
    """Whether the provider has ended, since `issued_at`, the session that a token belongs to."""
    of_session = Q(sid=sid, subject__in=["", subject]) if sid else Q(pk=None)
    later = OidcLogout.objects.filter(issuer=issuer, issued_at__gte=issued_at)
    return later.filter(of_session | Q(sid="", subject=subject)).exists()


def old_logins_purge() -> int:
    """Remove logins that ended KEPT ago, and what is known of logouts from before that; returns how many logins."""
    before = timezone.now() - KEPT
    over = LoginSession.objects.filter(Q(expires_at__lt=before) | Q(ended_at__lt=before))
    OidcLogout.objects.filter(created_at__lt=before).delete()
    return over.delete()[1].get("accounts.LoginSession", 0)


def _renew(login: LoginSession, now: datetime) -> tuple[str, str]:
    """Put new tokens into `login` (not saved); returns (access token, refresh token)."""
    access, refresh = (prefix + secrets.token_urlsafe(32) for prefix in (ACCESS_PREFIX, REFRESH_PREFIX))
    login.access_digest, login.refresh_digest = digest_of(access), digest_of(refresh)
    login.access_expires_at = min(now + ACCESS_LASTS, login.expires_at)
    login.refresh_expires_at = min(now + REFRESH_LASTS, login.expires_at)
    return access, refresh


def _living(now: datetime) -> Q:
    return Q(ended_at=None, expires_at__gt=now, user__is_active=True)


def _still_holds(login: LoginSession) -> bool:
    """A change of password ends logins from before, as it does browsers' sessions."""
    return secrets.compare_digest(login.password_mark, login.user.get_session_auth_hash())


def _drop_browsers(session_keys: Iterable[str]) -> None:
    for key in session_keys:
        SessionStore(key).delete()
