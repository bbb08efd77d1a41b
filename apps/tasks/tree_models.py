"""The table of working trees: what workers have told of them. Only `apps.tasks` touches it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace


class WorkingTree(models.Model):
    """A git worktree in which tasks have worked, as its worker has last told of it.

    The worker holds the truth: what stands here is replaced by its next report. `task_ids` in the order in which they
    came; a conversation's tasks share one tree. `left` names files that were not committed.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        KEPT = "kept"
        MERGED = "merged"
        DISCARDED = "discarded"
        EMPTY = "empty"
        LOST = "lost"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    worker_id = models.TextField()
    tree_id = models.TextField()
    codebase_id = models.TextField(blank=True, default="")
    task_ids = ArrayField(models.UUIDField(), default=list)
    branch = models.TextField()
    base = models.TextField(help_text="The commit that it was made from.")
    base_branch = models.TextField(blank=True, default="")
    head = models.TextField(help_text="Its last commit.")
    state = models.TextField(choices=State)
    dirty = models.BooleanField(default=False)
    left = ArrayField(models.TextField(), default=list)
    files = models.PositiveIntegerField(default=0)
    insertions = models.PositiveBigIntegerField(default=0)
    deletions = models.PositiveBigIntegerField(default=0)
    merged_into = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-updated_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "worker_id", "tree_id"], name="working_tree_once"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "kept", "merged", "discarded", "empty", "lost"]),
                name="working_tree_state_known",
            ),
        ]
        indexes = [
            GinIndex(fields=["task_ids"], name="working_tree_of_task"),
            models.Index(fields=["workspace", "codebase_id", "-updated_at"], name="working_tree_of_codebase"),
        ]

    def __str__(self) -> str:
        return self.branch


def tree_with(*, workspace_id: uuid.UUID, task_id: uuid.UUID) -> WorkingTree | None:
    """The tree in which a task has worked, or works; None where it worked in place."""
    return WorkingTree.objects.filter(workspace_id=workspace_id, task_ids__contains=[task_id]).first()
