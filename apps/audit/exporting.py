"""The trail for people and programs: as JSON lines at any length."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson

from apps.audit.models import AuditEntry
from apps.audit.selectors import head_of
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


def pieces(workspace_id: uuid.UUID, *, after: int = 0) -> Iterator[bytes]:
    """JSON lines in pieces of up to CHUNK, oldest first: the entries that there are when the first is asked for.

    Each piece is read by a query of its own, so whoever takes them slowly holds no cursor and no connection.
    """
    last, (until, _) = after, head_of(workspace_id)
    while rows := _next(workspace_id, last, until):
        yield b"".join(orjson.dumps(facts(row)) + b"\n" for row in rows)
        last = rows[-1].seq


def _next(workspace_id: uuid.UUID, after: int, until: int) -> list[AuditEntry]:
    rows = AuditEntry.objects.filter(workspace_id=workspace_id, seq__gt=after, seq__lte=until)
    return list(rows.order_by("seq")[:CHUNK])
