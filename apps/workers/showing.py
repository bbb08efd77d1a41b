"""A task and the queue as clients see them, with what the workers tell: why it waits, and who could take it."""

import uuid
from typing import Any

from django.utils import timezone

from apps.tasks.selectors import (
    limit_facts,
    limits_of,
    oldest_pending,
    queue_counts,
    task_and_tree,
    task_facts,
    tree_facts,
)
from apps.workers.selectors import connected_machines
from apps.workers.waiting import pending_by_reason, why_pending


def task_detail(*, workspace_id: uuid.UUID, task_id: object) -> dict[str, Any]:
    """All that clients are told of one task (`shapes.TaskDetail`); TaskNotFoundError for what is none."""
    task, tree = task_and_tree(workspace_id=workspace_id, task_id=task_id)
    reason = why_pending(task)
    why = {"why_pending": reason and reason.text, "why_pending_code": reason and reason.code}
    return {**task_facts(task), **why, "working_tree": tree and tree_facts(tree)}


def queue_status(workspace_id: uuid.UUID) -> dict[str, Any]:
    """How much work there is, why it waits, what bounds it, and who could take it (`shapes.QueueStatus`)."""
    counts = queue_counts(workspace_id)
    oldest = oldest_pending(workspace_id)
    limits = [limit_facts(limit) for limit in limits_of(workspace_id)]
    return {
        "counts": counts,
        "total": sum(counts.values()),
        "pending": counts["pending"],
        "running": counts["running"],
        "pending_by_reason": pending_by_reason(workspace_id),
        "oldest_pending_seconds": (timezone.now() - oldest).total_seconds() if oldest else None,
        "workers_connected": len(connected_machines(workspace_id)),
        "paused": any(limit["paused"] for limit in limits if limit["kind"] == "workspace"),
        "limits": limits,
    }
