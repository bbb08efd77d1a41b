"""Devices that are told when somebody is needed, and what each is still to be told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import User, Workspace
from apps.core.ids import new_id
from apps.core.sealing import SealedField
from apps.notifications.kinds import Kind


def every_kind() -> list[str]:
    return [str(kind) for kind in Kind]


class PushSubscription(models.Model):
    """A browser on a device, which a person has turned notifications on for (W3C Push API §3.3).

    It is the person's, not a workspace's: which workspaces it hears of follows from their memberships at the moment
    in which it is told. `auth` is sealed: having it and the public key `p256dh`, one could write to the device.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.TextField(help_text="The address at the browser's push service.")
    host = models.TextField(help_text="Of that address: no push service may occupy the deliverer alone.")
    p256dh = models.TextField(help_text="The device's public key (RFC 8291 §2.1), in base64url.")
    auth = SealedField(purpose="codetether/web-push/v1")
    name = models.TextField(help_text="Which browser on which system, as it says itself.")
    kinds = ArrayField(models.TextField(), default=every_kind, help_text="What it is told of.")
    created_at = models.DateTimeField(db_default=Now())
    last_sent_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["endpoint"], name="push_subscription_once")]

    def __str__(self) -> str:
        return self.name

    def sealed_place(self) -> str:
        return f"{self.user_id}/{self.pk}"


class Notice(models.Model):
    """What a device is to be told of a task: only the latest, and only until it was told.

    It comes to be in the transaction that takes the event over from the outbox, so a crash loses none. A delivery
    holds it until `taken_until`, which is also its fence: what it writes counts only while that stands as it wrote it.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    subscription = models.ForeignKey(PushSubscription, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.ForeignKey("tasks.Task", on_delete=models.CASCADE, related_name="+")
    seq = models.BigIntegerField(help_text="The number of the event in the task's log.")
    event = models.TextField(help_text="Its kind.")
    since = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    taken_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, db_default=0, help_text="Failures so far.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "task"], name="notice_once"),
            models.CheckConstraint(condition=Q(attempts__gte=0), name="notice_attempts_counted"),
        ]
        indexes = [models.Index(fields=["due_at"], name="notice_due")]

    def __str__(self) -> str:
        return f"{self.event} of {self.task_id}"
