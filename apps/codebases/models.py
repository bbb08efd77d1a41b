"""A codebase: a folder with code on some worker's machine, and how agents should work in it."""

from typing import Any

from django.db import models

from apps.accounts.models import Workspace
from apps.audit.history import history_of
from apps.core.ids import new_id_text


class Codebase(models.Model):
    """`worker_id` names the worker that has the folder; while it is empty the codebase waits to be confirmed."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        REMOVED = "removed"

    id = models.CharField(primary_key=True, max_length=128, default=new_id_text)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="codebases")
    name = models.CharField(max_length=200)
    path = models.CharField(max_length=4096)
    description = models.TextField(blank=True, default="")
    agent_config = models.JSONField(default=dict, blank=True)
    worker_id = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "worker_id", "path"],
                condition=~models.Q(worker_id=""),
                name="codebase_path_once_per_worker",
            ),
        ]

    def __str__(self) -> str:
        return self.name


_Kept: Any = history_of(
    Codebase, "id", "workspace", "name", "path", "description", "agent_config", "worker_id", "status"
)


class CodebaseHistory(_Kept):  # type: ignore[misc]
    """What codebases were."""

    append_only = True
