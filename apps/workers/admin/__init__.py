"""The console's pages of workers, and what workers know that the heart's pages show."""

from apps.tasks.admin import Places, QueuedCodebaseAdmin, TaskAdmin
from apps.workers.admin.page import WorkerAdmin
from apps.workers.admin.surroundings import Machines, worker_names
from apps.workers.waiting import why_pending

__all__ = ["WorkerAdmin"]

TaskAdmin.explain_pending = staticmethod(why_pending)
Places.worker_names = staticmethod(worker_names)
QueuedCodebaseAdmin.surroundings = Machines()
