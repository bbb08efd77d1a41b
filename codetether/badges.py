"""The numbers beside the menu's entries: what waits for somebody there. Each is one cheap query, by an index."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.a2a.push_failing import failing_count
from apps.accounts.permissions import Scope
from apps.accounts.reach import Reach
from apps.audit.models import AuditCheck
from apps.tasks.selectors import asking_count
from apps.workers.lost import lost_count


@dataclass(frozen=True, slots=True)
class Badge:
    """What stands beside the entry of the page `name`, in the colour `tone`."""

    name: str
    words: str
    tone: str = "danger"


def badges(reach: Reach) -> Iterator[Badge]:
    """Of all workspaces that the person sees; nothing where all is well."""
    seen = list(reach.workspaces(Scope.TASKS_READ).values_list("id", flat=True))
    if asking := asking_count(seen):
        yield Badge("admin:tasks_task_changelist", str(asking), "warning")
    if lost := lost_count(seen):
        yield Badge("admin:workers_worker_changelist", f"{lost} away")
    if failing := failing_count(seen):
        yield Badge("admin:a2a_face_pushconfig_changelist", f"{failing} failing")
    if reach.holds(Scope.ADMIN) and _broken(reach):
        yield Badge("admin:audit_auditentry_changelist", "broken")


def _broken(reach: Reach) -> bool:
    """Whether a chain of the audit trail was not as it was written when it was verified last."""
    return reach.narrowed(AuditCheck.objects.exclude(fault=""), Scope.ADMIN, "workspace_id").exists()
