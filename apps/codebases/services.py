"""What changes codebases: they are registered, bound to the worker that has the folder, edited and removed.

A removed codebase stays as a row, because the log of its tasks names it; no selector shows it, its path is free again,
and registering its id anew brings it back.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.codebases.models import ActiveCodebase, Codebase, Variable
from apps.codebases.selectors import codebase_get, codebases_of
from apps.core.errors import ConflictError, InvalidError, UnprocessableError
from apps.core.ids import new_id_text

RESERVED_IDS = frozenset({"global", "__pending__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCodebase:
    """What a caller registers. With `worker_id` the folder is on that worker's machine; None changes nothing."""

    name: str
    path: str
    description: str | None = None
    agent_config: Mapping[str, Any] | None = None
    worker_id: str = ""
    codebase_id: str = ""


def codebase_register(*, workspace_id: uuid.UUID, new: NewCodebase) -> Codebase:
    """Make the codebase, or bring the one that it already is up to date.

    The same codebase is: the one of `codebase_id`; else that worker's of the same path; else one of the same path that
    still waits for a worker; without a worker, any of the same path. ConflictError where the id belongs to somebody
    else, or the worker has the path under another id.
    """
    if new.codebase_id in RESERVED_IDS:
        raise InvalidError("This id is reserved.", errors={"codebase_id": ["Choose another id."]})
    path = new.path.rstrip("/") or "/"
    with deed():
        _lock_path(workspace_id, path)
        found = _same(workspace_id, new, path)
        codebase = found or Codebase(id=new.codebase_id or new_id_text(), workspace_id=workspace_id)
        _bring_up_to_date(codebase, new, path)
        _save(codebase, is_new=found is None)
    return codebase


def _lock_path(workspace_id: uuid.UUID, path: str) -> None:
    """Registrations of one path take turns until the transaction ends, so two at once make one codebase."""
    digest = hashlib.blake2b(f"{workspace_id} {path}".encode(), digest_size=8).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest, signed=True)])


def _same(workspace_id: uuid.UUID, new: NewCodebase, path: str) -> Codebase | None:
    if new.codebase_id:
        return (
            Codebase.objects.select_for_update(no_key=True)
            .filter(workspace_id=workspace_id, id=new.codebase_id)
            .first()
        )
    there = codebases_of(workspace_id).select_for_update(no_key=True).filter(path=path)
    if new.worker_id:
        return there.filter(worker_id=new.worker_id).first() or there.filter(worker_id="").first()
    return there.order_by("status", "-created_at").first()


def _bring_up_to_date(codebase: Codebase, new: NewCodebase, path: str) -> None:
    codebase.name, codebase.path = new.name, path
    if new.description is not None:
        codebase.description = new.description
    if new.agent_config is not None:
        codebase.agent_config = {**codebase.agent_config, **new.agent_config}
    if new.worker_id:
        codebase.worker_id, codebase.status = new.worker_id, Codebase.Status.ACTIVE
    elif codebase.status == Codebase.Status.REMOVED:
        codebase.status = Codebase.Status.PENDING


def _save(codebase: Codebase, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            codebase.save(force_insert=is_new)
    except IntegrityError as error:
        held = codebases_of(codebase.workspace_id).filter(worker_id=codebase.worker_id, path=codebase.path).first()
        if held is not None and held.id != codebase.id:
            detail = f"The worker has this path registered already, as the codebase {held.id}."
            raise ConflictError(detail, code="codebase_exists") from error
        raise ConflictError("This codebase_id is taken; choose another.", code="codebase_id_taken") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebaseChange:
    """What to change; None leaves as it is. `path` and `worker_id` may only repeat what is."""

    name: str | None = None
    description: str | None = None
    agent_config: Mapping[str, Any] | None = None
    path: str | None = None
    worker_id: str | None = None


def codebase_change(*, workspace_id: uuid.UUID, codebase_id: str, change: CodebaseChange) -> Codebase:
    """Change name, description or single settings of a codebase's agents."""
    with deed():
        codebase = codebase_get(workspace_id=workspace_id, codebase_id=codebase_id, for_update=True)
        for fixed in ("path", "worker_id"):
            if getattr(change, fixed) not in (None, getattr(codebase, fixed)):
                message = f"A codebase keeps its {fixed}: register the folder anew instead."
                raise UnprocessableError(message, code="contradiction", errors={fixed: [message]})
        if change.name is not None:
            codebase.name = change.name
        if change.description is not None:
            codebase.description = change.description
        if change.agent_config is not None:
            codebase.agent_config = {**codebase.agent_config, **change.agent_config}
        codebase.save(update_fields=["name", "description", "agent_config", "updated_at"])
        said = [name for name in ("name", "description") if getattr(change, name) is not None]
        details = {"fields": said, "agent_config": change.agent_config or {}}
        record(Action.CODEBASE_CHANGE, workspace_id=workspace_id, target=f"codebase:{codebase_id}", details=details)
    return codebase


def codebase_retire(*, codebase: Codebase) -> None:
    """Take a codebase away from everybody's sight, and forget its variables and for whom it was the active one; its
    worker may register the path again."""
    codebase.status, codebase.worker_id = Codebase.Status.REMOVED, ""
    with deed():
        codebase.save(update_fields=["status", "worker_id", "updated_at"])
        Variable.objects.filter(codebase=codebase).delete()
        ActiveCodebase.objects.filter(codebase=codebase).delete()
