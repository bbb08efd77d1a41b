"""The audit trail: entries that are only ever appended, chained by hashes, one chain for each workspace."""

from django.db import models


class AuditEntry(models.Model):
    """One thing that somebody did or was refused. `hash` covers all other columns and the entry before.

    The workspace is no foreign key: entries outlive what they tell of.
    """

    workspace_id = models.UUIDField()
    seq = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the workspace, without a gap.")
    at = models.DateTimeField()
    action = models.CharField(max_length=40, help_text="A word of `actions.Action`.")
    outcome = models.CharField(max_length=8)
    actor = models.CharField(max_length=255)
    target = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    hash = models.BinaryField(max_length=32)

    append_only = True

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        constraints = [models.UniqueConstraint(fields=["workspace_id", "seq"], name="audit_seq_once")]
        indexes = [  # what the page and the REST face filter by, in the order in which they show it
            models.Index(fields=["workspace_id", "action", "seq"], name="audit_by_action"),
            models.Index(fields=["workspace_id", "actor", "seq"], name="audit_by_actor"),
            models.Index(fields=["workspace_id", "target", "seq"], name="audit_by_target"),
            models.Index(fields=["workspace_id", "at"], name="audit_by_time"),
            models.Index(fields=["workspace_id", "seq"], name="audit_refused", condition=models.Q(outcome="refused")),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"


class AuditHead(models.Model):
    """Where a workspace's chain ends. Whoever appends holds its row, so entries of a workspace take turns."""

    workspace_id = models.UUIDField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.BinaryField(max_length=32, default=bytes(32))

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.seq}"


class AuditCheck(models.Model):
    """How a workspace's chain was found when it was verified last. It is no part of the chain, and proves nothing."""

    workspace_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    entries = models.PositiveBigIntegerField(help_text="How many were as they were written.")
    fault = models.CharField(max_length=255, blank=True, default="", help_text="What is wrong; empty: nothing.")

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.fault or 'whole'}"
