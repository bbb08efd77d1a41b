"""Remote agents: A2A agents elsewhere that tasks may name as their target, and the tasks that they work on for us."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.audit.history import history_of
from apps.core.ids import new_id
from apps.core.sealing import SealedField


class RemoteAgent(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """`name` is what a task's `target_agent` says. The secret is sealed and never shown again."""

    class Binding(models.TextChoices):
        JSONRPC = "JSONRPC", "JSON-RPC"
        HTTP_JSON = "HTTP+JSON", "HTTP+JSON"

    class Auth(models.TextChoices):
        NONE = "none", "None"
        BEARER = "bearer", "Bearer token"
        HEADER = "header", "Key in a header"

    class Signature(models.TextChoices):
        UNSIGNED = "unsigned", "Unsigned"
        VERIFIED = "verified", "Verified"
        INVALID = "invalid", "Invalid"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="remote_agents")
    name = models.CharField(max_length=128)
    card_url = models.CharField(max_length=2048)
    card = models.JSONField(default=dict, help_text="The card as it was served.")
    card_etag = models.CharField(max_length=200, blank=True, default="")
    fetched_at = models.DateTimeField(null=True)
    endpoint_url = models.CharField(max_length=2048, help_text="The interface of the card that is called.")
    binding = models.CharField(max_length=20, choices=Binding)
    protocol_version = models.CharField(max_length=20)
    signature = models.CharField(max_length=20, choices=Signature, default=Signature.UNSIGNED)
    require_signature = models.BooleanField(default=False)
    jwks_url = models.CharField(max_length=2048, blank=True, default="", help_text="Pinned: keys from nowhere else.")

    auth = models.CharField(max_length=20, choices=Auth, default=Auth.NONE)
    auth_header = models.CharField(max_length=100, blank=True, default="")
    sealed_secret = SealedField(purpose="codetether/federation/credentials/v1")
    message_metadata = models.JSONField(default=dict, help_text="Goes along with every message.")

    enabled = models.BooleanField(default=True)
    last_error = models.TextField(blank=True, default="")
    last_used_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="remote_agent_once_per_workspace")]

    def __str__(self) -> str:
        return self.name

    def sealed_place(self) -> str:
        return f"{self.workspace_id}/{self.pk}"


_Kept: Any = history_of(
    RemoteAgent, "id", "workspace", "name", "card_url", "endpoint_url", "binding", "protocol_version", "signature",
    "require_signature", "jwks_url", "auth", "auth_header", "enabled", "created_by",
)  # fmt: skip


class RemoteAgentHistory(_Kept):  # type: ignore[misc]
    """What remote agents were, without their credentials and what goes along with messages."""

    append_only = True


class RemoteTask(models.Model):
    """What one of our tasks is at the remote agent. Written before the first message is sent, so that whoever works on
    the task next goes on with the same remote task, or says the very same again."""

    task_id = models.UUIDField(primary_key=True, help_text="Ours.")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="remote_tasks")
    agent_name = models.CharField(max_length=128)
    context_id = models.TextField(blank=True, default="", help_text="Ours.")
    sent_context_id = models.TextField(blank=True, default="", help_text="What the first message said.")
    sent_references = models.JSONField(default=list, help_text="What the first message said.")
    remote_task_id = models.TextField(blank=True, default="")
    remote_context_id = models.TextField(blank=True, default="")
    is_open = models.BooleanField(default=True, help_text="The remote task has not ended, as far as we know.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["workspace"], condition=Q(is_open=True), name="remote_task_open"),
            models.Index(
                fields=["workspace", "agent_name", "context_id", "created_at"],
                condition=~Q(remote_context_id=""),
                name="remote_task_of_context",
            ),
            models.Index(
                fields=["workspace", "agent_name", "remote_context_id"],
                condition=~Q(remote_context_id=""),
                name="remote_task_of_session",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} at {self.agent_name}"
