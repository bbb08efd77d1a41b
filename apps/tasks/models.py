"""The tables of the heart: the task's row, its log, and the outbox. Only `apps.tasks` touches them.

What must always hold is held by the database: constraints and unique indexes below, not by care in the code.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.codebases.models import Codebase
from apps.core.ids import new_id
from apps.tasks.states import ASKING, HELD, TERMINAL, State

GLOBAL_QUEUE = "global"
PENDING_QUEUE = "__pending__"
PRIORITY_LIMIT = 1000
MAX_ATTEMPTS_LIMIT = 100
AGEING_SECONDS_PER_PRIORITY = 600
"""A task one priority lower goes first once it has waited this much longer: nothing starves."""


def _values(states: frozenset[State]) -> list[str]:
    return sorted(str(state) for state in states)


class Task(models.Model):
    """The current state of one piece of work. Every change is an event in its log; this row is their sum."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tasks")
    codebase = models.ForeignKey(Codebase, on_delete=models.SET_NULL, null=True, related_name="tasks")
    queue = models.TextField(help_text="The codebase's id, 'global' or '__pending__': which workers may claim it.")
    title = models.TextField()
    prompt = models.TextField()
    agent_type = models.TextField(default="build")
    model = models.TextField(blank=True, default="")
    priority = models.IntegerField(default=0)
    rank = models.FloatField(help_text="Claim order: creation time in epoch seconds, less the priority's head start.")
    requires = ArrayField(models.TextField(), default=list)
    target_agent = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict)
    created_by = models.TextField(blank=True, default="")
    idempotency_key = models.TextField(null=True)
    context_id = models.TextField(blank=True, default="")
    session_id = models.TextField(blank=True, default="")

    state = models.TextField(default=State.PENDING, choices=[(str(state), str(state)) for state in State])
    last_seq = models.BigIntegerField(default=0)
    last_steering_seq = models.BigIntegerField(default=0)
    heard_seq = models.BigIntegerField(default=0, help_text="The last steering event that a holder has acted on.")
    position = models.BigIntegerField(default=0)
    attempt = models.IntegerField(default=0)
    max_attempts = models.IntegerField(default=3)
    declined_by = ArrayField(models.TextField(), default=list)

    worker_id = models.TextField(blank=True, default="")
    claim_token = models.UUIDField(null=True, unique=True)
    claim_seq = models.BigIntegerField(default=0)
    client_seq = models.BigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)

    result = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    error_code = models.TextField(blank=True, default="")
    usage = models.JSONField(default=dict)

    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(db_default=Now())
    deadline_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "idempotency_key"], name="task_idempotency_key_once"),
            models.CheckConstraint(condition=Q(state__in=[str(s) for s in State]), name="task_state_known"),
            models.CheckConstraint(
                condition=~Q(state=State.RUNNING)
                | Q(claim_token__isnull=False, lease_expires_at__isnull=False) & ~Q(worker_id=""),
                name="task_running_is_held",
            ),
            models.CheckConstraint(
                condition=Q(lease_expires_at__isnull=True) | Q(state__in=_values(HELD)),
                name="task_lease_only_when_held",
            ),
            models.CheckConstraint(
                condition=Q(completed_at__isnull=False, state__in=_values(TERMINAL))
                | Q(completed_at__isnull=True) & ~Q(state__in=_values(TERMINAL)),
                name="task_completed_at_iff_terminal",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.PENDING) | Q(claim_token__isnull=True), name="task_pending_is_free"
            ),
            models.CheckConstraint(
                condition=Q(attempt__gte=0) & Q(attempt__lte=models.F("max_attempts")),
                name="task_attempts_bounded",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=-PRIORITY_LIMIT) & Q(priority__lte=PRIORITY_LIMIT),
                name="task_priority_bounded",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "queue", "rank", "id"], condition=Q(state="pending"), name="task_claim"),
            models.Index(fields=["lease_expires_at"], condition=Q(state__in=_values(HELD)), name="task_lease"),
            models.Index(
                fields=["deadline_at"],
                condition=Q(state="pending", deadline_at__isnull=False),
                name="task_deadline",
            ),
            models.Index(fields=["workspace", "-created_at", "-id"], name="task_newest"),
            models.Index(fields=["codebase", "-created_at"], name="task_of_codebase"),
            models.Index(fields=["workspace", "state", "-created_at"], name="task_by_state"),
            models.Index(fields=["worker_id"], condition=Q(state__in=_values(HELD)), name="task_held_by"),
            models.Index(fields=["workspace", "context_id"], condition=~Q(context_id=""), name="task_of_context"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_terminal(self) -> bool:
        return State(self.state) in TERMINAL

    @property
    def is_asking(self) -> bool:
        return State(self.state) in ASKING


class TaskEvent(models.Model):
    """One line of a task's log. Append-only; `seq` counts from 1 without gaps within its task.

    `position` orders the events of all tasks for readers that follow many (docs/decisions): never smaller than the
    writing transaction's id, never falling within a task, so a reader that stays below the oldest running transaction
    misses nothing.
    """

    pk = models.CompositePrimaryKey("task_id", "seq")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    workspace_id = models.UUIDField()
    position = models.BigIntegerField()
    kind = models.TextField()
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["task_id", "seq"]
        indexes = [models.Index(fields=["workspace_id", "position"], name="event_by_position")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class OutboxEntry(models.Model):
    """A state change that other parts must hear of exactly once; removed when every consumer has taken it over."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    kind = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "outbox entries"
        constraints = [models.UniqueConstraint(fields=["task", "seq"], name="outbox_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.task_id}"


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
