"""The trail for people and programs: filtered, and as JSON lines at any length."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson

from apps.audit.models import AuditEntry
from apps.audit.verifying import CHUNK


def facts(entry: AuditEntry) -> dict[str, Any]:
    """An entry as JSON; with these fields its hash can be computed again (docs/operations/audit.md)."""
    return {
        "workspace_id": str(entry.workspace_id),
        "seq": entry.seq,
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": entry.action,
        "outcome": entry.outcome,
        "actor": entry.actor,
        "target": entry.target,
        "address": entry.address,
        "request_id": entry.request_id,
        "details": entry.details,
        "hash": bytes(entry.hash).hex(),
    }


def lines(workspace_id: uuid.UUID | None, *, after: int = 0) -> Iterator[bytes]:
    """JSON lines without their ends, oldest first; None: of every workspace, one after the other."""
    entries = AuditEntry.objects.filter(seq__gt=after).order_by("workspace_id", "seq")
    if workspace_id is not None:
        entries = entries.filter(workspace_id=workspace_id)
    for entry in entries.iterator(CHUNK):
        yield orjson.dumps(facts(entry))
