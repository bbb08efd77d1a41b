"""Reading the working trees of tasks. Every query is bound to a workspace; nothing here writes."""

import uuid
from typing import Any

from django.db.models import QuerySet

from apps.tasks.models import Task
from apps.tasks.tree_models import WorkingTree, tree_with


def trees_of(workspace_id: uuid.UUID) -> QuerySet[WorkingTree]:
    """All working trees that workers of a workspace have told of, the latest first."""
    return WorkingTree.objects.filter(workspace_id=workspace_id)


def tree_of_task(task: Task) -> WorkingTree | None:
    """The tree in which the task has worked, or works; None where it worked in place."""
    return tree_with(workspace_id=task.workspace_id, task_id=task.id)


def tree_facts(tree: WorkingTree) -> dict[str, Any]:
    """A working tree as every face shows it."""
    names = (
        "worker_id", "branch", "base", "head", "state", "dirty", "left", "files", "insertions", "deletions",
        "created_at", "updated_at",
    )  # fmt: skip
    return {
        "id": tree.tree_id,
        "codebase_id": tree.codebase_id or None,
        "task_ids": [str(task_id) for task_id in tree.task_ids],
        "base_branch": tree.base_branch or None,
        "merged_into": tree.merged_into or None,
        **{name: getattr(tree, name) for name in names},
    }
