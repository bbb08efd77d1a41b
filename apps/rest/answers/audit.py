"""Answers about the audit trail."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel


class AuditEntry(BaseModel):
    """`hash` follows from the other fields and the hash before."""

    workspace_id: str
    seq: int
    at: datetime
    action: str
    outcome: Literal["done", "refused"]
    actor: str
    target: str
    address: str
    request_id: str
    details: dict[str, Any]
    hash: str


class AuditPage(BaseModel):
    """Newest first. `next_before` is the `before` of the page with older entries; null: there are none."""

    entries: list[AuditEntry]
    next_before: int | None


class AuditFinding(BaseModel):
    """The first entry that is not as it was written, and what is wrong with it."""

    seq: int
    fault: str


class AuditVerified(BaseModel):
    """`whole` entries are as they were written. `seq` and `hash` are the chain's head, to hold against an anchor."""

    whole: int
    finding: AuditFinding | None
    seq: int
    hash: str
