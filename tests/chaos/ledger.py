"""The checker's own reading of a log: its state machine and its fold, written from the documentation alone.

`walk` goes through a log and says at every event what the task's facts are then, and what should not have been.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.evidence import ENDS, HELD, Event

PENDING, RUNNING, ASKING = "pending", "running", frozenset({"input_required", "auth_required"})
OPEN = frozenset({PENDING}) | HELD

MAY_HAPPEN_IN: dict[str, frozenset[str]] = {
    "created": frozenset({""}),
    "claimed": frozenset({PENDING}),
    "requeued": HELD,
    "asked": frozenset({RUNNING}),
    "answered": ASKING,
    "completed": HELD,
    "rejected": OPEN,
    "failed": OPEN,
    "cancelled": OPEN,
    "lease_lost": ASKING,
    "declined": HELD,
    "message": OPEN,
    "reprioritised": frozenset({PENDING}),
}
"""In which states a kind of event may come; what a worker reports, only while somebody holds the task."""


@dataclass
class Facts:
    """What a task's log adds up to."""

    state: str = ""
    attempt: int = 0
    max_attempts: int = 0
    worker_id: str = ""
    priority: int = 0
    session_id: str = ""
    result: str = ""
    error: str = ""
    error_code: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    declined_by: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """One event; `before` is the state that it found, `is_allowed` whether it may come then."""

    event: Event
    before: str
    is_allowed: bool
    facts: Facts


def walk(log: Sequence[Event]) -> Iterator[Step]:
    """Each event with the facts after it; the facts object is one and the same, and moves on."""
    facts = Facts()
    for event in log:
        before = facts.state
        is_allowed = before in MAY_HAPPEN_IN.get(event.kind, HELD)
        _APPLY.get(event.kind, _nothing)(facts, dict(event.data))
        yield Step(event, before, is_allowed, facts)


def folded(log: Sequence[Event]) -> Facts:
    """The facts after the whole log."""
    facts = Facts()
    for step in walk(log):
        facts = step.facts
    return facts


Data = dict[str, Any]


def _created(facts: Facts, data: Data) -> None:
    facts.state = PENDING
    facts.max_attempts, facts.priority = data["max_attempts"], data["priority"]
    facts.session_id = data["session_id"]


def _claimed(facts: Facts, data: Data) -> None:
    facts.state, facts.attempt, facts.worker_id = RUNNING, data["attempt"], data["worker_id"]


def _requeued(facts: Facts, data: Data) -> None:
    facts.state, facts.worker_id, facts.error = PENDING, "", data["error"]
    facts.max_attempts += 0 if data["burn"] else 1


def _asked(facts: Facts, data: Data) -> None:
    facts.state = data["state"]


def _answered(facts: Facts, data: Data) -> None:
    facts.state = data["resumes"]
    if facts.state == PENDING:
        facts.worker_id = ""
        facts.max_attempts += 1


def _lease_lost(facts: Facts, data: Data) -> None:
    facts.worker_id = ""


def _declined(facts: Facts, data: Data) -> None:
    facts.declined_by = [*facts.declined_by, data["worker_id"]]


def _reprioritised(facts: Facts, data: Data) -> None:
    facts.priority = data["priority"]


def _session(facts: Facts, data: Data) -> None:
    facts.session_id = data["session_id"]


def _usage(facts: Facts, data: Data) -> None:
    facts.usage = data


def _ended(state: str) -> Callable[[Facts, Data], None]:
    def apply(facts: Facts, data: Data) -> None:
        facts.state = state
        facts.result, facts.error_code = data.get("result", ""), data.get("code", "")
        facts.error = data.get("error", data.get("reason", ""))
        facts.session_id = data.get("session_id") or facts.session_id
        facts.usage = data.get("usage") or facts.usage

    return apply


def _nothing(facts: Facts, data: Data) -> None:
    """What an agent says changes no facts."""


_APPLY: dict[str, Callable[[Facts, Data], None]] = {
    "created": _created,
    "claimed": _claimed,
    "requeued": _requeued,
    "asked": _asked,
    "answered": _answered,
    "lease_lost": _lease_lost,
    "declined": _declined,
    "reprioritised": _reprioritised,
    "session": _session,
    "usage": _usage,
    **{state: _ended(state) for state in ENDS},
}


@dataclass(frozen=True, slots=True)
class Tenure:
    """One attempt in the log: its claim, and everything until the next claim or the log's end."""

    attempt: int
    worker_id: str
    events: Sequence[Event]


def tenures(log: Sequence[Event]) -> list[Tenure]:
    """The attempts of a log in order."""
    found: list[tuple[Event, list[Event]]] = []
    for event in log:
        if event.kind == "claimed":
            found.append((event, []))
        elif found:
            found[-1][1].append(event)
    return [Tenure(claim.data["attempt"], claim.data["worker_id"], events) for claim, events in found]
