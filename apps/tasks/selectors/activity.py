"""What the agent of a codebase does now."""

import uuid
from typing import Any

from apps.codebases.models import Codebase
from apps.codebases.selectors import codebase_get
from apps.tasks.selectors.queue import limit_facts, limits_of, pending_count
from apps.tasks.selectors.tasks import current_task, task_facts


def codebase_activity(*, workspace_id: uuid.UUID, codebase_id: str) -> dict[str, Any]:
    """Running, a question's state, idle, or pending where no worker has it yet (`shapes.Activity`)."""
    codebase = codebase_get(workspace_id=workspace_id, codebase_id=codebase_id)
    task = current_task(workspace_id=workspace_id, codebase_id=codebase_id)
    limit = limits_of(workspace_id).filter(kind="codebase", key=codebase_id).first()
    return {
        "codebase_id": codebase.id,
        "status": task.state if task else _resting(codebase),
        "session_id": (task.session_id or None) if task else None,
        "current_task": task_facts(task) if task else None,
        "started_at": task.started_at if task else None,
        "model": (task.model or None) if task else codebase.agent_config.get("default_model"),
        "pending_tasks": pending_count(workspace_id=workspace_id, codebase_id=codebase_id),
        "queue": limit and limit_facts(limit),
    }


def _resting(codebase: Codebase) -> str:
    return "idle" if codebase.status == Codebase.Status.ACTIVE else "pending"
