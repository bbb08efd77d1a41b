"""Tokens of programs: made, rotated, revoked. A secret is given back once, by what made it; only its digest is kept."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.digests import digest_of
from apps.accounts.models import ApiToken, User, Workspace
from apps.accounts.permissions import Role, Scope, scopes_of
from apps.accounts.principals import Principal, access_changed
from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.caller import caller
from apps.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from apps.core.ids import parse_id

TOKEN_PREFIX = "ct_"
HINT_LENGTH = 8
LONGEST_OVERLAP = timedelta(days=30)
CODEBASES_LIMIT = 1_000


def token_create(
    *,
    workspace: Workspace,
    name: str,
    role: Role,
    user: User | None = None,
    scopes: Sequence[str] = (),
    codebases: Sequence[str] = (),
    expires_at: datetime | None = None,
    maker: Principal | None = None,
    made_by: str = "",
) -> tuple[ApiToken, str]:
    """Make a token; returns its row and the secret, which is not kept and cannot be shown again.

    `codebases` binds a worker's token to these. InvalidError for what no token can be; ForbiddenError for what `maker`
    does not hold itself.
    """
    _check(role, scopes, codebases, expires_at)
    if maker is not None:
        _check_maker(maker, workspace.id, scopes_of(role, scopes))
    secret = _new_secret()
    row = ApiToken(
        workspace=workspace,
        name=name,
        role=role,
        user=user,
        scopes=list(scopes),
        codebases=sorted(set(codebases)),
        expires_at=expires_at,
        hint=secret[:HINT_LENGTH],
        digest=digest_of(secret),
        made_by=made_by or (maker.name if maker else ""),
    )
    with deed(row.made_by):
        row.save(force_insert=True)
        _record(Action.TOKEN_CREATE, row, role=role, scopes=row.scopes, codebases=row.codebases, expires_at=expires_at)
    return row, secret


@dataclass(frozen=True, slots=True)
class Rotation:
    """How a token gets a new secret: the old one works for `overlap` more; `expires_at` may set its end anew."""

    overlap: timedelta = timedelta(0)
    expires_at: datetime | None = None


def token_rotate(
    *, token: ApiToken, rotation: Rotation | None = None, maker: Principal | None = None
) -> tuple[ApiToken, str]:
    """Give a token a new secret; returns its row and the secret.

    A secret that was replaced before ends now. ConflictError for a token that is revoked, or has expired and gets no
    new end; ForbiddenError where it holds more than `maker`.
    """
    wanted = rotation or Rotation()
    if not timedelta(0) <= wanted.overlap <= LONGEST_OVERLAP:
        limit = f"Give from 0 to {LONGEST_OVERLAP.total_seconds():.0f} seconds."
        raise InvalidError(f"overlap_seconds: {limit}", errors={"overlap_seconds": [limit]})
    _check_end(wanted.expires_at)
    if maker is not None:
        _check_maker(maker, token.workspace_id, scopes_of(Role(token.role), token.scopes))
    secret, now = _new_secret(), timezone.now()
    changes: dict[str, Any] = {
        "digest": digest_of(secret),
        "hint": secret[:HINT_LENGTH],
        "previous_digest": token.digest if wanted.overlap else None,
        "previous_until": now + wanted.overlap if wanted.overlap else None,
        "rotated_at": now,
        "expires_at": wanted.expires_at or token.expires_at,
    }
    ended = changes["expires_at"] is not None and changes["expires_at"] <= now
    is_same = ApiToken.objects.filter(pk=token.pk, digest=token.digest, revoked_at=None)
    with deed():
        if ended or not is_same.update(**changes):
            raise ConflictError("The token has ended, or was rotated just now: make a new one.", code="token_ended")
        access_changed()
        token.refresh_from_db()
        _record(Action.TOKEN_ROTATE, token, old_works_until=token.previous_until, expires_at=token.expires_at)
    return token, secret


def token_revoke(*, token: ApiToken) -> None:
    """End a token, with a secret of before; revoking it twice changes nothing."""
    with deed():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            access_changed()
            _record(Action.TOKEN_REVOKE, token)


def tokens_of(workspace_id: uuid.UUID) -> QuerySet[ApiToken]:
    """A workspace's tokens, newest first."""
    return ApiToken.objects.filter(workspace_id=workspace_id).order_by("-created_at", "-id")


def token_get(*, workspace_id: uuid.UUID, token_id: str) -> ApiToken:
    """The token; NotFoundError where the workspace has none of this id."""
    known = parse_id(token_id)
    found = tokens_of(workspace_id).filter(id=known).first() if known else None
    if found is None:
        raise NotFoundError("There is no such token.", code="token_not_found")
    return found


def token_facts(token: ApiToken) -> dict[str, Any]:
    """A token as clients see it: never its secret, nor what is kept of it."""
    return {
        "id": str(token.id),
        "name": token.name,
        "role": token.role,
        "scopes": token.scopes,
        "codebases": token.codebases,
        "hint": token.hint,
        "status": token_status(token),
        "made_by": token.made_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "rotated_at": token.rotated_at,
        "previous_until": token.previous_until,
        "revoked_at": token.revoked_at,
    }


def token_status(token: ApiToken) -> str:
    """valid, expired or revoked."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= timezone.now() else "valid"


def _record(action: Action, token: ApiToken, **details: Any) -> None:
    """Last in the transaction. By whom: whoever calls; where nobody does, as it was told when it was made."""
    said = {"name": token.name, **{name: value for name, value in details.items() if value}}
    by = caller().name or (token.made_by if action is Action.TOKEN_CREATE else "")
    record(action, workspace_id=token.workspace_id, by=by, target=f"token:{token.pk}", details=said)


def _new_secret() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _check(role: Role, scopes: Sequence[str], codebases: Sequence[str], expires_at: datetime | None) -> None:
    unknown = [name for name in scopes if name not in Scope]
    if unknown:
        message = f"Give some of {', '.join(Scope)}."
        raise InvalidError(f"There is no scope {unknown[0]}.", errors={"scopes": [message]})
    if codebases and role is not Role.WORKER:
        message = "Only a worker's token is bound to codebases."
        raise InvalidError(message, errors={"codebases": [message]})
    if len(codebases) > CODEBASES_LIMIT:
        message = f"Give at most {CODEBASES_LIMIT}."
        raise InvalidError(f"codebases: {message}", errors={"codebases": [message]})
    _check_end(expires_at)


def _check_end(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidError("The token would have expired already.", errors={"expires_at": ["Give a time to come."]})


def _check_maker(maker: Principal, workspace_id: uuid.UUID, scopes: frozenset[Scope]) -> None:
    """Nobody gives away what they do not hold."""
    if maker.workspace_id != workspace_id or maker.codebases is not None or not scopes <= maker.scopes:
        raise ForbiddenError("A token cannot hold scopes that its maker does not hold.")
