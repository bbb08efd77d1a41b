"""Registering a codebase: who may, and what becomes of it. Every face that registers them calls this."""

import uuid
from typing import Any

from django.db import transaction

from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.codebases.selectors import codebase_facts
from apps.codebases.services import NewCodebase
from apps.tasks.services import codebase_request
from apps.workers.owning import check_own
from apps.workers.selectors import connected_machines


def codebase_admit(*, caller: Principal, new: NewCodebase) -> dict[str, Any]:
    """Register the codebase: `{success, codebase, task_id, message}`; `task_id` is the task that looks for its worker.

    A worker's token may only register what is its own machine's, and says nothing of what agents may do there;
    ForbiddenError for all else.
    """
    if not new.worker_id or new.agent_config is not None:
        caller.require(Scope.CODEBASES_WRITE)
    elif Scope.CODEBASES_WRITE not in caller.scopes:
        check_own(caller, new.worker_id)
    with transaction.atomic():
        codebase, looking = codebase_request(workspace_id=caller.workspace_id, new=new, by=caller.name)
        caller.require_codebase(codebase.id)  # else nothing of it was; the path decides which it is
    return {
        "success": True,
        "codebase": codebase_facts(codebase),
        "task_id": str(looking.id) if looking else None,
        "message": _outlook(caller.workspace_id, codebase.worker_id),
    }


def _outlook(workspace_id: uuid.UUID, worker_id: str) -> str:
    """What the caller may expect now."""
    if worker_id:
        return f"Registered; worker {worker_id} has it."
    if connected_machines(workspace_id):
        return "Registered as pending; the connected workers are asked which of them has the path."
    return "Registered as pending: no worker is connected. It becomes active when one that has the path connects."
