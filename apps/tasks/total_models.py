"""What is counted as it happens, since to count it later would mean to read all that ever was."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace


class SweepTotal(models.Model):
    """How many tasks of a workspace the reaper has moved since ever, by what became of them.

    Counted in the transaction that moves the task: the log says the same, but has no index by which to count it.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    outcome = models.TextField()
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "outcome"], name="sweep_total_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.outcome}"


class EndedTotal(models.Model):
    """How many tasks of a workspace have ended in a state, but for those whose outbox entry is still there.

    It is added to in the transaction that removes the entry, so both together are exact at every moment, and neither
    grows with what has ended. Ends are final: it never falls.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    state = models.TextField()
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "state"], name="ended_total_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.state}"


class LastSweep(models.Model):
    """The reaper's latest sweep over all workspaces: the only row, written when the sweep is done."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    ended_at = models.DateTimeField(db_default=Now())
    seconds = models.FloatField(help_text="How long it took.")
    moved = models.JSONField(default=dict, help_text="What it moved: {workspace: {outcome: number}}.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="last_sweep_is_one")]

    def __str__(self) -> str:
        return f"sweep of {self.ended_at:%H:%M:%S}"
