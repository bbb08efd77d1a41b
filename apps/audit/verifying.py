"""Proving that a chain is whole: every entry follows from the one before, and the last is the one that was anchored.

Who can write to the database can also make a whole new chain. So heads are told to the outside (`anchoring`), and a
head that was told must still be in the chain.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from apps.audit.chain import GENESIS, hash_of, spelling
from apps.audit.models import AuditEntry, AuditHead

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Finding:
    """The first entry of a workspace's chain that is not as it was written, and what is wrong with it."""

    workspace_id: uuid.UUID
    seq: int
    fault: str

    def __str__(self) -> str:
        return f"workspace {self.workspace_id}, entry {self.seq}: {self.fault}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it was told to the outside."""

    workspace_id: uuid.UUID
    seq: int
    hash: bytes


def verify(workspace_id: uuid.UUID, anchors: Iterable[Anchor] = ()) -> tuple[int, Finding | None]:
    """(how many entries are as they were written, the first that is not). Reads in pieces of any length."""
    told = {anchor.seq: anchor.hash for anchor in anchors if anchor.workspace_id == workspace_id}
    before, expected = GENESIS, 1
    for entry in AuditEntry.objects.filter(workspace_id=workspace_id).order_by("seq").iterator(CHUNK):
        fault = _fault(entry, expected, before, told)
        if fault:
            return expected - 1, Finding(workspace_id, min(entry.seq, expected), fault)
        before, expected = bytes(entry.hash), expected + 1
    finding = _fault_at_the_end(workspace_id, expected - 1, before, told)
    return expected - 1 if finding is None else finding.seq - 1, finding


def _fault(entry: AuditEntry, expected: int, before: bytes, told: Mapping[int, bytes]) -> str:
    if entry.seq > expected:
        return f"is missing (the next one there is {entry.seq})"
    if entry.seq < expected:
        return "is there twice"
    words = spelling(
        action=entry.action, outcome=entry.outcome, actor=entry.actor, target=entry.target, address=entry.address,
        request_id=entry.request_id, details=entry.details,
    )  # fmt: skip
    if hash_of(before, entry.seq, entry.at, words) != bytes(entry.hash):
        return "was changed, put in, or moved: it does not follow from the entry before"
    if told.get(entry.seq, bytes(entry.hash)) != bytes(entry.hash):
        return "is not the one that was anchored: the chain was made anew"
    return ""


def _fault_at_the_end(workspace_id: uuid.UUID, last: int, digest: bytes, told: Mapping[int, bytes]) -> Finding | None:
    head = AuditHead.objects.filter(workspace_id=workspace_id).first()
    seq = head.seq if head is not None else 0
    if max(told, default=0) > last:
        return Finding(workspace_id, last + 1, f"is missing (an anchor tells of {max(told)} entries)")
    if seq > last:
        return Finding(workspace_id, last + 1, f"is missing (the chain's head tells of {seq} entries)")
    if seq < last:
        return Finding(workspace_id, seq + 1, "was put in after the chain's head")
    if head is not None and last and bytes(head.hash) != digest:
        return Finding(workspace_id, last, "is not the one that the chain's head tells of")
    return None


def chains() -> Iterator[uuid.UUID]:
    """The workspaces that have entries, or had some."""
    known = set(AuditHead.objects.values_list("workspace_id", flat=True))
    yield from sorted(known | set(AuditEntry.objects.values_list("workspace_id", flat=True).distinct()))
