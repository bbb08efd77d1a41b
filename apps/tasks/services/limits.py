"""What operators set for parts of the queue: how many tasks may be held at once, and pauses.

Each is a row (`QueueLimit`) that claims pass under its lock. It holds for every claim that begins after it was set;
tasks that are held by then are counted, and a claim that was just being made is adopted a moment later. A task counts
from its claim until its lease ends, so also while its agent waits for an answer.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.codebases.selectors import codebase_get
from apps.core.errors import InvalidError
from apps.tasks.models import GLOBAL_QUEUE, QueueLimit
from apps.tasks.services import statements
from apps.tasks.services.announce import announce_room
from apps.tasks.services.create import NAME_LIMIT

MOST_LIMIT = 100_000
ADOPTION = timedelta(minutes=2)
"""For how long after a change claims of before it may still appear; a statement ends after a minute."""

Kind = QueueLimit.Kind


def limit_set(*, workspace_id: uuid.UUID, kind: str, key: str = "", most: int | None, by: str) -> QueueLimit | None:
    """Let at most `most` tasks be held at once (None: no limit any more); what is held beyond that may end.

    `kind` says of what: the workspace (no key), a codebase, a worker, or the tasks of one concurrency key. Returns
    the row, or None where nothing is set any more. Raises InvalidError and, for a codebase, NotFoundError.
    """
    if most is not None and not 1 <= most <= MOST_LIMIT:
        raise _invalid("most", f"Give a whole number from 1 to {MOST_LIMIT}, or null for no limit.")
    return _change(Action.LIMIT_SET, workspace_id, kind, key, {"most": most}, by)


def queue_pause(*, workspace_id: uuid.UUID, kind: str, key: str = "", by: str, reason: str = "") -> QueueLimit | None:
    """Let nothing more be claimed here until it is resumed; what runs goes on. Pausing twice is no error."""
    if len(reason) > NAME_LIMIT:
        raise _invalid("reason", f"Give at most {NAME_LIMIT} characters.")
    return _change(Action.QUEUE_PAUSE, workspace_id, kind, key, {"paused_at": Now(), "reason": reason}, by)


def queue_resume(*, workspace_id: uuid.UUID, kind: str, key: str = "", by: str) -> QueueLimit | None:
    """End a pause. Resuming what is not paused is no error."""
    return _change(Action.QUEUE_RESUME, workspace_id, kind, key, {"paused_at": None, "reason": ""}, by)


def limits_adopt() -> int:
    """Count claims that were being made while a limit was set; returns how many. Run by the reaper."""
    fresh = QueueLimit.objects.filter(changed_at__gt=Now() - ADOPTION)
    return sum(_adopt(limit) for limit in fresh)


def _change(
    action: Action, workspace_id: uuid.UUID, kind: str, key: str, changes: Mapping[str, Any], by: str
) -> QueueLimit | None:
    _check_place(workspace_id, kind, key)
    with deed(by):
        limit, is_new = _locked(workspace_id, kind, key)
        QueueLimit.objects.filter(id=limit.id).update(**changes, changed_by=by, changed_at=Now())
        if is_new:
            _adopt(limit)
        limit.refresh_from_db()
        transaction.on_commit(partial(announce_room, workspace_id))
        is_over = limit.most is None and not limit.is_paused
        if is_over:
            limit.delete()
        said = {name: changes[name] for name in ("most", "reason") if name in changes}
        record(action, workspace_id=workspace_id, by=by, target=f"{kind}:{key}".rstrip(":"), details=said)
    if is_over:
        return None
    _adopt(limit)
    return QueueLimit.objects.filter(id=limit.id).first()


def _locked(workspace_id: uuid.UUID, kind: str, key: str) -> tuple[QueueLimit, bool]:
    """The row, locked, and whether it is new. One that another takes away while we wait for it is made again."""
    while True:
        limit, is_new = QueueLimit.objects.get_or_create(workspace_id=workspace_id, kind=kind, key=key)
        if is_new or QueueLimit.objects.select_for_update(no_key=True).filter(id=limit.id).first() is not None:
            return limit, is_new


def _check_place(workspace_id: uuid.UUID, kind: str, key: str) -> None:
    if kind not in Kind.values:
        raise _invalid("kind", f"Give one of {', '.join(Kind.values)}.")
    if (kind == Kind.WORKSPACE) is not (key == ""):
        raise _invalid("key", "Name the codebase, the worker or the concurrency key; a workspace takes none.")
    if len(key) > NAME_LIMIT:
        raise _invalid("key", f"Give at most {NAME_LIMIT} characters.")
    if kind == Kind.CODEBASE and key != GLOBAL_QUEUE:
        codebase_get(workspace_id=workspace_id, codebase_id=key)


def _invalid(name: str, message: str) -> InvalidError:
    return InvalidError(f"{name}: {message}", errors={name: [message]})


def _adopt(limit: QueueLimit) -> int:
    return statements.adopt(limit_id=limit.id, workspace_id=limit.workspace_id, kind=limit.kind, key=limit.key)
