"""What can happen to a task: a closed set of event kinds, one constructor each, and the fold that they make.

An event is `(kind, data)`; the log adds task, seq and time. `fold` applied to a task's whole log gives the facts of
its row, also when the log has been compacted (a test proves it for every test's tasks). The claim token and the
lease's end are not in the log: the first is a secret, the second a promise that each heartbeat renews.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.tasks.states import State

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, before the log has numbered it."""

    kind: str
    data: Data


# What moves the state ------------------------------------------------------------------------------------------------

FACTS_AT_CREATION = (
    "title", "prompt", "agent_type", "model", "priority", "queue", "codebase_id", "requires", "target_agent",
    "session_id", "context_id", "max_attempts", "concurrency_key", "metadata", "created_by",
)  # fmt: skip


def created(facts: Data) -> Event:
    """The task came to be; `facts` holds FACTS_AT_CREATION."""
    return Event("created", facts)


def claimed(*, worker_id: str, attempt: int) -> Event:
    """A worker took the lease."""
    return Event("claimed", {"worker_id": worker_id, "attempt": attempt})


def requeued(*, reason: str, error: str = "", delay_seconds: float = 0, burn: bool = True) -> Event:
    """Back to pending: lease expired, retryable failure, drain, snooze or an operator. With `burn=False` the attempt
    does not count: attempts only grow, so the task is granted one more (as River's snooze does)."""
    return Event("requeued", {"reason": reason, "error": error, "delay_seconds": delay_seconds, "burn": burn})


def asked(*, state: State, question: str, options: list[Data], call_id: str = "", diff: str = "") -> Event:
    """The agent needs a person: an answer (input_required) or credentials (auth_required). `diff` is the change that
    it asks for, where it is one."""
    data = {"state": str(state), "question": question, "options": options, "call_id": call_id}
    return Event("asked", data | {"diff": diff} if diff else data)


def answered(*, message: str, data: Data, by: str, resumes: str) -> Event:
    """A person answered. `resumes` is the state that follows: running while a worker holds it, else pending."""
    return Event("answered", {"message": message, "data": data, "by": by, "resumes": resumes})


def completed(*, result: str, session_id: str, usage: Data, direct: bool = False) -> Event:
    """The agent is done. `direct`: its result is a plain answer, which needs no task to be shown for it."""
    data = {"result": result, "session_id": session_id, "usage": usage}
    return Event("completed", data | {"direct": True} if direct else data)


def failed(*, error: str, code: str, session_id: str = "", usage: Data | None = None) -> Event:
    return Event("failed", {"error": error, "code": code, "session_id": session_id, "usage": usage or {}})


def cancelled(*, reason: str, by: str) -> Event:
    return Event("cancelled", {"reason": reason, "by": by})


def rejected(*, reason: str) -> Event:
    return Event("rejected", {"reason": reason})


# What does not -------------------------------------------------------------------------------------------------------


def messaged(*, message: str, by: str, interrupt: bool = False, data: Data | None = None) -> Event:
    """Steering: a person speaks to the running session, or (`interrupt`) ends its present turn.

    `data` is what a face must remember of the message beyond its text.
    """
    said: Data = {"message": message, "by": by, "interrupt": interrupt}
    return Event("message", said | {"data": data} if data else said)


def reprioritised(*, priority: int, by: str) -> Event:
    return Event("reprioritised", {"priority": priority, "by": by})


def declined(*, worker_id: str, reason: str) -> Event:
    """A worker cannot do this one (wrong machine); it is not offered to that worker again."""
    return Event("declined", {"worker_id": worker_id, "reason": reason})


def lease_lost(*, worker_id: str) -> Event:
    """The holder of an asking task vanished: the question stands, the answer will make the task pending."""
    return Event("lease_lost", {"worker_id": worker_id})


def compacted(*, first_seq: int, last_seq: int, kinds: Mapping[str, int]) -> Event:
    """In the place of old events that were removed: it stands at `last_seq` and covers all from `first_seq` on;
    `kinds` says how many there were of each."""
    data = {"first_seq": first_seq, "last_seq": last_seq, "events": sum(kinds.values()), "kinds": dict(kinds)}
    return Event("compacted", data)


# The fold ------------------------------------------------------------------------------------------------------------

Facts = dict[str, Any]


def _on_created(facts: Facts, data: Data) -> None:
    facts.update({name: data[name] for name in FACTS_AT_CREATION if name in data})
    facts.update(state=State.PENDING, attempt=0, worker_id="", result="", error="", error_code="", usage={})
    facts.update(declined_by=[])


def _on_claimed(facts: Facts, data: Data) -> None:
    facts.update(state=State.RUNNING, worker_id=data["worker_id"], attempt=data["attempt"])


def _on_requeued(facts: Facts, data: Data) -> None:
    facts.update(state=State.PENDING, worker_id="", error=data["error"])
    if not data["burn"]:
        facts["max_attempts"] += 1


def _on_asked(facts: Facts, data: Data) -> None:
    facts["state"] = State(data["state"])


def _on_answered(facts: Facts, data: Data) -> None:
    facts["state"] = State(data["resumes"])
    if facts["state"] is State.PENDING:
        facts["worker_id"] = ""
        facts["max_attempts"] += 1


def _on_finished(state: State) -> Callable[[Facts, Data], None]:
    def apply(facts: Facts, data: Data) -> None:
        facts.update(state=state, result=data.get("result", ""), error=data.get("error", data.get("reason", "")))
        facts["error_code"] = data.get("code", "")
        facts["session_id"] = data.get("session_id") or facts["session_id"]
        facts["usage"] = data.get("usage") or facts["usage"]

    return apply


def _on_session(facts: Facts, data: Data) -> None:
    facts["session_id"] = data["session_id"]


def _on_usage(facts: Facts, data: Data) -> None:
    facts["usage"] = data


def _on_reprioritised(facts: Facts, data: Data) -> None:
    facts["priority"] = data["priority"]


def _on_declined(facts: Facts, data: Data) -> None:
    facts["declined_by"] = [*facts["declined_by"], data["worker_id"]]


def _on_lease_lost(facts: Facts, data: Data) -> None:
    facts["worker_id"] = ""


FOLDS: dict[str, Callable[[Facts, Data], None]] = {
    "created": _on_created,
    "claimed": _on_claimed,
    "requeued": _on_requeued,
    "asked": _on_asked,
    "answered": _on_answered,
    "completed": _on_finished(State.COMPLETED),
    "failed": _on_finished(State.FAILED),
    "cancelled": _on_finished(State.CANCELLED),
    "rejected": _on_finished(State.REJECTED),
    "session": _on_session,
    "usage": _on_usage,
    "reprioritised": _on_reprioritised,
    "declined": _on_declined,
    "lease_lost": _on_lease_lost,
}
"""How each kind changes the facts; kinds that are not here change none."""

MOVES = frozenset({
    "created", "claimed", "requeued", "asked", "answered", "completed", "failed", "cancelled", "rejected",
})  # fmt: skip
"""Kinds after which the state may be another."""

POSTED = MOVES | {"lease_lost"}
"""Kinds that others must hear of: each writes an outbox row."""

COMPACTED = frozenset({
    "status", "output", "tool_use", "tool_result", "file_change", "usage", "session", "message",
})  # fmt: skip
"""Kinds whose old events may go. The last `session` and the last `usage` of a log stay: the fold needs them."""

STEERING = frozenset({"message", "answered"})
"""Kinds that the holder of the lease must hear of."""


def fold(log: Iterable[tuple[str, Mapping[str, Any]]]) -> Facts:
    """The facts that a task's whole log adds up to."""
    facts: Facts = {}
    for kind, data in log:
        if kind in FOLDS:
            FOLDS[kind](facts, dict(data))
    return facts
