"""Everything that changes a task. Callers import from here; the modules inside may be arranged anew."""

from apps.tasks.services.create import REGISTER_CODEBASE, NewTask, task_create
from apps.tasks.services.finish import (
    Outcome,
    task_decline,
    task_finish,
    task_leave_question,
    task_snooze,
)
from apps.tasks.services.hold import Claim, Lease, lease_renew, task_claim, task_progress
from apps.tasks.services.outbox import outbox_dispatch
from apps.tasks.services.rescue import Sweep, leases_reap
from apps.tasks.services.statements import Claimer
from apps.tasks.services.steer import task_answer, task_cancel, task_message, task_reprioritise, task_requeue

__all__ = [
    "REGISTER_CODEBASE",
    "Claim",
    "Claimer",
    "Lease",
    "NewTask",
    "Outcome",
    "Sweep",
    "lease_renew",
    "leases_reap",
    "outbox_dispatch",
    "task_answer",
    "task_cancel",
    "task_claim",
    "task_create",
    "task_decline",
    "task_finish",
    "task_leave_question",
    "task_message",
    "task_progress",
    "task_reprioritise",
    "task_requeue",
    "task_snooze",
]
