"""Everything that changes a task. Callers import from here; the modules inside may be arranged anew."""

from apps.tasks.models import MAX_ATTEMPTS_LIMIT, PRIORITY_LIMIT
from apps.tasks.services.codebase import (
    Wish,
    codebase_interrupt,
    codebase_message,
    codebase_remove,
    codebase_request,
    codebase_stop,
    codebase_trigger,
)
from apps.tasks.services.create import (
    DEADLINE_LIMIT,
    NAME_LIMIT,
    REGISTER_CODEBASE,
    TITLE_LIMIT,
    NewTask,
    task_create,
)
from apps.tasks.services.ended import ended_recount
from apps.tasks.services.files import claim_check, files_purge, task_file_store
from apps.tasks.services.finish import (
    Outcome,
    task_decline,
    task_finish,
    task_leave_question,
    task_snooze,
)
from apps.tasks.services.follow_up import task_resume
from apps.tasks.services.hold import (
    Claim,
    Lease,
    event_from_worker,
    lease_renew,
    task_claim,
    task_progress,
    tasks_claimable,
)
from apps.tasks.services.limits import MOST_LIMIT, limit_set, queue_pause, queue_resume
from apps.tasks.services.outbox import Change, outbox_dispatch, outbox_subscribe
from apps.tasks.services.programs import KEPT_BY, keepers_in, kept_by
from apps.tasks.services.rescue import Sweep, Swept, leases_reap, sweep_latest
from apps.tasks.services.retention import Compaction, events_compact, events_compactable
from apps.tasks.services.session import session_fork, session_resume
from apps.tasks.services.statements import Claimer
from apps.tasks.services.steer import task_answer, task_cancel, task_message, task_reprioritise, task_requeue
from apps.tasks.services.trees import (
    WORKING_TREE,
    ToldTree,
    TreeAnswer,
    TreeWish,
    working_tree_act,
    working_trees_report,
)

__all__ = [
    "DEADLINE_LIMIT",
    "TITLE_LIMIT",
    "KEPT_BY",
    "MAX_ATTEMPTS_LIMIT",
    "MOST_LIMIT",
    "NAME_LIMIT",
    "PRIORITY_LIMIT",
    "REGISTER_CODEBASE",
    "WORKING_TREE",
    "Change",
    "Claim",
    "Claimer",
    "Compaction",
    "Lease",
    "NewTask",
    "Outcome",
    "Sweep",
    "Swept",
    "ToldTree",
    "TreeAnswer",
    "TreeWish",
    "Wish",
    "claim_check",
    "codebase_interrupt",
    "codebase_message",
    "codebase_remove",
    "codebase_request",
    "codebase_stop",
    "codebase_trigger",
    "ended_recount",
    "event_from_worker",
    "events_compact",
    "events_compactable",
    "files_purge",
    "keepers_in",
    "kept_by",
    "lease_renew",
    "leases_reap",
    "limit_set",
    "outbox_dispatch",
    "outbox_subscribe",
    "queue_pause",
    "queue_resume",
    "sweep_latest",
    "session_fork",
    "session_resume",
    "task_answer",
    "task_cancel",
    "task_claim",
    "task_create",
    "task_decline",
    "task_file_store",
    "task_finish",
    "task_leave_question",
    "task_message",
    "task_progress",
    "task_reprioritise",
    "task_requeue",
    "task_resume",
    "task_snooze",
    "tasks_claimable",
    "working_tree_act",
    "working_trees_report",
]
