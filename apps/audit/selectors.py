"""Reading the trail: the part of a workspace's entries that somebody asks for."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.audit.models import AuditEntry, AuditHead


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which entries; what is empty or None asks for nothing."""

    action: str = ""
    outcome: str = ""
    actor: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    after: int = 0


def entries_filtered(workspace_id: uuid.UUID, wanted: TrailFilter) -> QuerySet[AuditEntry]:
    """The workspace's entries that match, newest first. Texts match as a whole: indexes find them in a trail of any
    length."""
    same = {name: getattr(wanted, name) for name in ("action", "outcome", "actor", "target")}
    bounds: dict[str, Any] = {
        "at__gte": wanted.since, "at__lt": wanted.until, "seq__lt": wanted.before, "seq__gt": wanted.after or None
    }  # fmt: skip
    asked = {name: value for name, value in (same | bounds).items() if value not in ("", None)}
    return AuditEntry.objects.filter(workspace_id=workspace_id, **asked).order_by("-seq")


def head_of(workspace_id: uuid.UUID) -> tuple[int, str]:
    """(number of the last entry, its hash as hexadecimal digits); (0, zeros) where there is none."""
    head = AuditHead.objects.filter(workspace_id=workspace_id).first() or AuditHead(workspace_id=workspace_id)
    return head.seq, bytes(head.hash).hex()
