"""A codebase: a folder with code on some worker's machine, and how agents should work in it.

And variables: what a codebase, or a workspace for all of its codebases, puts into its agents' environment. And which
codebase a caller has made the active one.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.audit.history import history_of
from apps.core.ids import new_id, new_id_text
from apps.core.sealing import SealedField


class Codebase(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
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


class Variable(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """One environment variable of a codebase's agents; without a codebase, of all agents of its workspace.

    A secret's value is sealed, and shown to nobody: it goes to the worker that works on a task, and nowhere else.
    `agent_types` are the kinds of task that get it; none: all.
    """

    class Kind(models.TextChoices):
        VARIABLE = "variable"
        SECRET = "secret"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # the unique constraint begins with it
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="variables", db_index=False)
    codebase = models.ForeignKey(Codebase, on_delete=models.CASCADE, null=True, blank=True, related_name="variables")
    name = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.SECRET)
    value = models.TextField(blank=True, default="")
    sealed_value = SealedField(purpose="codetether/codebases/variables/v1")
    description = models.CharField(max_length=500, blank=True, default="")
    agent_types = ArrayField(models.TextField(), default=list, blank=True)
    set_by = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "codebase", "name"], nulls_distinct=False, name="variable_once_per_place"
            ),
            models.CheckConstraint(
                condition=Q(kind="variable", sealed_value="") | Q(kind="secret", value="") & ~Q(sealed_value=""),
                name="variable_secret_is_sealed",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def sealed_place(self) -> str:
        """A secret counts where it was set, under the name under which it was set."""
        return f"{self.workspace_id}/{self.codebase_id or ''}/{self.name}"


_KeptOfVariable: Any = history_of(
    Variable, "id", "workspace", "codebase", "name", "kind", "description", "agent_types", "set_by", "updated_at"
)


class VariableHistory(_KeptOfVariable):  # type: ignore[misc]
    """What variables were, without any value: what was set as plain may turn out to be a secret."""

    append_only = True


class ActiveCodebase(models.Model):
    """Where a caller's tasks go that name no codebase. `caller` is a token's or a person's identity (`active.py`)."""

    # the unique constraint begins with it
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    caller = models.CharField(max_length=300)
    codebase = models.ForeignKey(Codebase, on_delete=models.CASCADE, related_name="active_for")
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "caller"], name="active_codebase_once_per_caller")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.codebase_id}"
