"""What workers reported under each claim, held against what the log has of that attempt."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.chaos.evidence import ENDS, Event, Evidence
from tests.chaos.history import OK, Entry
from tests.chaos.ledger import Tenure, tenures

SAID = frozenset({"status", "output", "tool_use", "tool_result", "file_change", "usage", "session", "asked"})
"""Kinds that come from a worker's numbered events; a question that is left by a release is none of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be. `verdict` is the heading under which the checker reports it."""

    verdict: str
    task_id: str
    what: str


@dataclass
class Claimed:
    """What is known of one claim token: its attempt, and by their number the events that were sent under it."""

    token: str
    task_id: str
    attempt: int
    sent: dict[int, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: int = 0


class Reports:
    """The worker protocol's side of a run, put together from all histories."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.claims: dict[str, Claimed] = {}
        self.strangers: list[Entry] = []
        for entry in evidence.entries("claim"):
            token = entry.facts["token"]
            self.claims.setdefault(token, Claimed(token, entry.id, entry.facts["attempt"]))
        for entry in evidence.history:
            if entry.op == "events":
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        claim = self.claims.get(entry.facts["token"])
        if claim is None:
            self.strangers.append(entry)
            return
        for seq, kind, data in entry.facts["events"]:
            if (kind, data) not in claim.sent[seq]:
                claim.sent[seq].append((kind, data))
            if entry.outcome == OK:
                claim.acknowledged = max(claim.acknowledged, seq)

    @cached_property
    def by_attempt(self) -> dict[tuple[str, int], Claimed]:
        return {(claim.task_id, claim.attempt): claim for claim in self.claims.values()}

    @cached_property
    def tenures(self) -> dict[tuple[str, int], Tenure]:
        """Every attempt of every log."""
        logs = self.evidence.logs
        return {(task_id, one.attempt): one for task_id, log in logs.items() for one in tenures(log)}


def said_events(tenure: Tenure) -> list[Event]:
    """What the log has of an attempt's numbered events."""
    following = [*tenure.events[1:], None]
    return [
        event
        for event, after in zip(tenure.events, following, strict=True)
        if event.kind in SAID and not (event.kind == "asked" and _is_left(after))
    ]


def _is_left(after: Event | None) -> bool:
    """Whether a question was left by a release: its holder let go in the same breath, nobody took the lease."""
    return after is not None and after.kind == "lease_lost" and not after.data["worker_id"]


def _is_it(event: Event, sent: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Whether the log's event is what was sent: a question is called otherwise, and unknown fields are left out."""
    for kind, data in sent:
        if event.kind == "asked" and kind == "input_required" and event.data["question"] == data["question"]:
            return True
        if event.kind == kind and all(data.get(name) == value for name, value in event.data.items()):
            return True
    return False


def reports_agree(reports: Reports) -> Iterator[Finding]:
    """Each attempt in the log holds exactly the first events that were sent under its token, up to the last that was
    acknowledged or further, in their order; and what was acknowledged is in the log."""
    for key, tenure in reports.tenures.items():
        claim = reports.by_attempt.get(key)
        logged = said_events(tenure)
        if claim is not None:
            yield from _agrees(claim, logged)
        elif logged:
            yield Finding("stale accepted", key[0], f"attempt {key[1]} was told to nobody, yet somebody reported in it")
    for claim in reports.claims.values():
        if claim.acknowledged and (claim.task_id, claim.attempt) not in reports.tenures:
            yield Finding("lost", claim.task_id, f"attempt {claim.attempt}, under which events were acknowledged")
    for entry in reports.strangers:
        if entry.outcome == OK:
            yield Finding("stale accepted", entry.id, "events under a token that no claim gave out")


def _agrees(claim: Claimed, logged: Sequence[Event]) -> Iterator[Finding]:
    where = f"attempt {claim.attempt}"
    numbers = sorted(claim.sent)
    found = [[seq for seq in numbers if _is_it(event, claim.sent[seq])] for event in logged]
    for event, seqs in zip(logged, found, strict=True):
        if not seqs:
            yield Finding("stale accepted", claim.task_id, f"{where}: event {event.seq} was not sent by its holder")
    order = _in_order(found)
    counts = Counter(order)
    yield from (Finding("doubled", claim.task_id, f"{where}: report {seq}") for seq, n in counts.items() if n > 1)
    if order != sorted(order):
        yield Finding("out of order", claim.task_id, f"{where}: reports {order}")
    missing = [seq for seq in numbers if seq <= max([claim.acknowledged, *order]) and seq not in counts]
    if missing:
        yield Finding("lost", claim.task_id, f"{where}: reports {missing} of {claim.acknowledged} acknowledged")


def _in_order(found: Sequence[Sequence[int]]) -> list[int]:
    """Which report each event is: where several read alike, the first after the one before."""
    order: list[int] = []
    for seqs in found:
        later = [seq for seq in seqs if not order or seq > order[-1]]
        if seqs:
            order.append((later or list(seqs))[0])
    return order


def releases_agree(reports: Reports) -> Iterator[Finding]:
    """What was accepted as an attempt's end stands in that attempt, and a task has one end."""
    ends: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for entry in reports.evidence.entries("release"):
        token, became = entry.facts["token"], entry.facts["became"]
        claim = reports.claims.get(token)
        if claim is None:
            yield Finding("stale accepted", entry.id, "a release under a token that no claim gave out")
            continue
        tenure = reports.tenures.get((claim.task_id, claim.attempt))
        if tenure is None or not any(_ends_so(event, became) for event in tenure.events):
            yield Finding("stale accepted", entry.id, f"attempt {claim.attempt} did not become {became}")
        if became in ENDS:
            ends[entry.id].add((token, became))
    yield from (
        Finding("doubled", task_id, f"{len(all_)} ends accepted") for task_id, all_ in ends.items() if len(all_) > 1
    )


def _ends_so(event: Event, became: str) -> bool:
    if became == "pending":
        return event.kind == "requeued"
    if became in ENDS:
        return event.kind == became
    return event.kind == "asked" and event.data["state"] == became
