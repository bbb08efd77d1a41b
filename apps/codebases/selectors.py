"""Reading codebases; every query is bound to a workspace, and none finds a removed one."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from apps.codebases.models import Codebase
from apps.core.errors import NotFoundError


def codebases_of(workspace_id: uuid.UUID) -> QuerySet[Codebase]:
    """All codebases of a workspace, newest first."""
    return Codebase.objects.filter(workspace_id=workspace_id).exclude(status=Codebase.Status.REMOVED)


def codebase_get(*, workspace_id: uuid.UUID, codebase_id: str, for_update: bool = False) -> Codebase:
    """The codebase, or NotFoundError where the workspace has none of that id."""
    found = codebases_of(workspace_id).filter(id=codebase_id)
    codebase = (found.select_for_update(no_key=True) if for_update else found).first()
    if codebase is None:
        raise NotFoundError("There is no such codebase.", code="codebase_not_found")
    return codebase


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebaseFilter:
    """What a list is narrowed to; empty values narrow nothing. `q` is sought in name, path and description."""

    status: str = ""
    worker_id: str = ""
    q: str = ""


def codebases_filtered(workspace_id: uuid.UUID, wanted: CodebaseFilter) -> QuerySet[Codebase]:
    """The codebases of a workspace that match `wanted`, newest first."""
    found = codebases_of(workspace_id)
    if wanted.status:
        found = found.filter(status=wanted.status)
    if wanted.worker_id:
        found = found.filter(worker_id=wanted.worker_id)
    if wanted.q:
        sought = Q(name__icontains=wanted.q) | Q(path__icontains=wanted.q) | Q(description__icontains=wanted.q)
        found = found.filter(sought)
    return found


def codebase_facts(codebase: Codebase) -> dict[str, Any]:
    """A codebase as every face shows it (contract: codebases)."""
    return {
        "id": codebase.id,
        "name": codebase.name,
        "path": codebase.path,
        "description": codebase.description,
        "worker_id": codebase.worker_id or None,
        "status": codebase.status,
        "agent_config": codebase.agent_config,
        "created_at": codebase.created_at,
        "updated_at": codebase.updated_at,
    }
