"""The tables of the heart: the task's row, its log, and the outbox. Only `apps.tasks` touches them.

What must always hold is held by the database: constraints and unique indexes below, not by care in the code.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.accounts.models import Workspace
from apps.audit.history import history_of
from apps.codebases.models import Codebase
from apps.core.ids import new_id
from apps.tasks.states import ASKING, HELD, TERMINAL, State
from apps.tasks.total_models import EndedTotal as EndedTotal
from apps.tasks.total_models import LastSweep as LastSweep
from apps.tasks.total_models import SweepTotal as SweepTotal
from apps.tasks.tree_models import WorkingTree as WorkingTree

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
    # the indexes below begin with these two: one more of each alone would only cost
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    codebase = models.ForeignKey(Codebase, on_delete=models.SET_NULL, null=True, related_name="tasks", db_index=False)
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
    concurrency_key = models.TextField(blank=True, default="", help_text="Tasks of one key share its limit.")
    limit_ids = ArrayField(models.BigIntegerField(), default=list, help_text="The limits that count its holding.")
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
    moved_at = models.DateTimeField(db_default=Now(), help_text="When it came to its present state.")
    available_at = models.DateTimeField(db_default=Now())
    deadline_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    compacted_at = models.DateTimeField(null=True, help_text="When the old events of its log were removed.")

    given_back: Sequence[int] = ()
    """Not a column: the limits under which the statement that returned this row has made room."""

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
            models.Index(fields=["workspace", "-moved_at", "-id"], name="task_by_move"),
            # lists of runs leave out what nobody has taken yet; few of those that were taken wait again
            models.Index(fields=["workspace", "-created_at", "-id"], condition=Q(attempt__gt=0), name="task_tried"),
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                condition=Q(state="pending", attempt__gt=0),
                name="task_to_try_again",
            ),
            models.Index(fields=["codebase", "-created_at"], name="task_of_codebase"),
            # what waits is left out: else the planner may take this one for a claim and sort all that waits
            models.Index(
                fields=["workspace", "state", "-created_at"],
                condition=~Q(state=str(State.PENDING)),
                name="task_by_state",
            ),
            models.Index(fields=["worker_id"], condition=Q(state__in=_values(HELD)), name="task_held_by"),
            models.Index(fields=["workspace", "context_id"], condition=~Q(context_id=""), name="task_of_context"),
            models.Index(fields=["session_id"], condition=~Q(session_id=""), name="task_of_session"),
            models.Index(
                fields=["workspace", "concurrency_key"],
                condition=Q(state__in=_values(HELD)) & ~Q(concurrency_key=""),
                name="task_held_of_key",
            ),
            models.Index(
                fields=["completed_at"],
                condition=Q(completed_at__isnull=False, compacted_at__isnull=True),
                name="task_to_compact",
            ),
            # one small entry for 64 pages (the migration says more): to find the few tasks of somebody
            BrinIndex(
                fields=["created_by", "worker_id", "agent_type"],
                name="task_of_whom",
                opclasses=["text_bloom_ops", "text_bloom_ops", "text_bloom_ops"],
                pages_per_range=64,
                autosummarize=True,
            ),
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

    Long after the task's end a run of events may be replaced by one that covers their seqs (services/retention.py).

    `position` orders the events of all tasks for readers that follow many (docs/decisions): never smaller than the
    writing transaction's id, never falling within a task, so a reader that stays below the oldest running transaction
    misses nothing.

    The database does not check `task` here nor in the outbox: rows are only written from a task that the same
    statement has locked, and the check of each cost as much as its insert (docs/decisions).
    """

    pk = models.CompositePrimaryKey("task_id", "seq")
    task = models.ForeignKey(Task, models.CASCADE, related_name="events", db_index=False, db_constraint=False)
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
    """A state change that other parts must hear of exactly once; removed when every consumer has taken it over.

    There is one for an event, since the statement that writes the event of that key writes it; an index that said so
    again was a tenth of a claim.
    """

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    task = models.ForeignKey(Task, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    kind = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "outbox entries"

    def __str__(self) -> str:
        return f"{self.kind} of {self.task_id}"


class QueueLimit(models.Model):  # type: ignore[django-manager-missing]  # its history is asked by its own model
    """What an operator has set for a part of the queue: how many of its tasks may be held at once, or a pause.

    `held` counts the tasks whose `limit_ids` name this row. It is changed under this row's lock, in the statement that
    claims or lets go, and only for the limits that the claim wrote into the task: so it cannot drift.
    """

    class Kind(models.TextChoices):
        WORKSPACE = "workspace"
        CODEBASE = "codebase"
        WORKER = "worker"
        KEY = "key"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    kind = models.TextField(choices=Kind)
    key = models.TextField(blank=True, help_text="The codebase's or worker's id, or the tasks' concurrency key.")
    most = models.PositiveIntegerField(null=True, help_text="Tasks held at once; empty: as many as come.")
    held = models.IntegerField(default=0)
    paused_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="", help_text="Why it is paused.")
    changed_by = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["kind", "key"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "key"], name="queue_limit_once"),
            models.CheckConstraint(condition=Q(held__gte=0), name="queue_limit_held_not_negative"),
            models.CheckConstraint(condition=Q(most__isnull=True) | Q(most__gte=1), name="queue_limit_lets_some_pass"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".strip()

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


_KeptOfLimit: Any = history_of(
    QueueLimit, "id", "workspace", "kind", "key", "most", "paused_at", "reason", "changed_by"
)


class QueueLimitHistory(_KeptOfLimit):  # type: ignore[misc]
    """What limits and pauses were; how many tasks they counted is in those tasks' logs."""

    append_only = True
