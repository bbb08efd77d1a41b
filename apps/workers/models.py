"""A worker: the daemon on a machine that holds code. What it can do is what it said when it registered."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from apps.accounts.models import ApiToken, Workspace
from apps.core.ids import new_id


class Worker(models.Model):
    """`worker_id` is chosen by the worker and unique in its workspace.

    `agents` holds {role, instance, description, tags, skills}, `programs` {name, version, models}.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="workers")
    worker_id = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    hostname = models.CharField(max_length=255, blank=True, default="")
    version = models.CharField(max_length=64, blank=True, default="")
    capabilities = ArrayField(models.TextField(), default=list)
    offered_models = models.JSONField(default=list)
    agents = models.JSONField(default=list)
    programs = models.JSONField(default=list, db_default=[])
    codebases = ArrayField(models.TextField(), default=list)
    global_codebase_id = models.TextField(blank=True, default="")
    concurrency = models.PositiveIntegerField(null=True, help_text="Tasks that it says it runs at once, if it does.")
    draining = models.BooleanField(default=False, help_text="It was asked to take nothing new.")
    stopping = models.BooleanField(
        default=False, db_default=False, help_text="It takes nothing new of its own accord: it is being shut down."
    )
    only_targeted = models.BooleanField(
        default=False, db_default=False, help_text="It takes only tasks that ask for one of its agents by name."
    )
    serves = ArrayField(
        models.TextField(), null=True, help_text="The only codebases that it may serve, where its token names some."
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False,
        help_text="The token by which it registered last.",
    )  # fmt: skip
    registered_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    unregistered_at = models.DateTimeField(null=True)

    is_here: bool
    """Not a column: whether it is connected, where the query asked (selectors.here)."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "worker_id"], name="worker_once_per_workspace")]

    def __str__(self) -> str:
        return self.name

    @property
    def drains(self) -> bool:
        """Whether it takes nothing new, asked or of its own accord."""
        return self.draining or self.stopping

    @property
    def is_bridge(self) -> bool:
        """Whether it is the server's own hand to remote agents, and no machine with code."""
        return self.only_targeted
