"""The console's pages of tasks, of limits and pauses, and what codebases' and sessions' pages show of tasks."""

from apps.tasks.admin.codebases import QueuedCodebaseAdmin
from apps.tasks.admin.limits import LimitAdmin
from apps.tasks.admin.places import Places
from apps.tasks.admin.sessions import WorkedSessionAdmin
from apps.tasks.admin.tasks import TaskAdmin

__all__ = ["LimitAdmin", "Places", "QueuedCodebaseAdmin", "TaskAdmin", "WorkedSessionAdmin"]
