"""Push notification configs, each with its place in its task's log: how far its receiver has heard."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.audit.history import history_of
from apps.core.ids import new_id
from apps.core.sealing import SealedField

LIVE = Q(given_up_at__isnull=True)
FAILING = Q(attempts__gt=0)


class PushConfig(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """Where to tell of a task's changes, and what has been told.

    `due_at` says when to look whether there is something to tell: it is set by whoever knows of news, and cleared by
    the delivery that begins; so news that comes meanwhile set it again. A delivery holds the row until `taken_until`,
    which is also its fence: what it writes counts only while that still stands as it wrote it.

    Token and credentials are sealed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey("tasks.Task", on_delete=models.CASCADE, related_name="+", db_index=False)
    config_id = models.TextField(help_text="The id that the client knows it by, unique for its task.")
    url = models.TextField()
    host = models.TextField(help_text="Host and port of the address: no receiver may occupy the deliverer alone.")
    token = SealedField(purpose="codetether/a2a/push/v1")
    scheme = models.TextField(blank=True, default="", help_text="HTTP authentication scheme (RFC 9110 §11.1).")
    credentials = SealedField(purpose="codetether/a2a/push/v1")
    version = models.TextField(help_text="The protocol version in which it was made, and is told.")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField(blank=True, default="")

    sent_seq = models.BigIntegerField(help_text="Its receiver has heard the task's log up to this event.")
    due_at = models.DateTimeField(null=True)
    taken_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, help_text="Failures since the last success.")
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    last_sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "A2A receiver"
        ordering = ["-created_at", "-id"]
        constraints = [
            # also the index by which a task's configs are found, at each of its changes
            models.UniqueConstraint(fields=["task", "config_id"], name="push_config_once"),
            models.CheckConstraint(condition=Q(version__in=["0.3", "1.0"]), name="push_config_version_known"),
            models.CheckConstraint(condition=Q(attempts__gte=0, sent_seq__gte=0), name="push_config_counts"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False) & LIVE, name="push_config_due"),
            models.Index(fields=["taken_until"], condition=Q(taken_until__isnull=False), name="push_config_taken"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="push_config_newest"),
            models.Index(fields=["workspace", "given_up_at"], condition=FAILING, name="push_config_failing"),
        ]

    def __str__(self) -> str:
        return f"{self.config_id} of {self.task_id}"

    def sealed_place(self) -> str:
        return f"{self.workspace_id}/{self.task_id}/{self.config_id}"


_Kept: Any = history_of(
    PushConfig, "id", "workspace", "task", "config_id", "host", "scheme", "version", "created_by", "given_up_at"
)


class PushConfigHistory(_Kept):  # type: ignore[misc]
    """What configs were, without token, credentials and path: some receivers have their secret in that."""

    append_only = True


class PushTotal(models.Model):
    """How many notifications of a workspace were sent, failed, or were given up, since ever."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    outcome = models.TextField()
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "outcome"], name="push_total_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.outcome}"
