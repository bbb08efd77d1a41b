"""What must hold of every log, row and acknowledged wish; each check gives its findings."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.evidence import ENDS, Evidence
from tests.chaos.history import FAIL, Entry
from tests.chaos.ledger import folded, walk
from tests.chaos.reports import Finding, Reports

MOVES = frozenset({
    "created", "claimed", "requeued", "asked", "answered", "completed", "failed", "cancelled", "rejected",
    "lease_lost",
})  # fmt: skip
COMPARED = (
    "state", "attempt", "max_attempts", "worker_id", "priority", "session_id", "result", "error", "error_code",
    "usage", "declined_by",
)  # fmt: skip
KEYED = "key-"


def creates_are_there(evidence: Evidence) -> Iterator[Finding]:
    """Acknowledged creates are in the table with a log, and one key made one task."""
    for entry in evidence.entries("create"):
        if entry.id not in evidence.tasks or not evidence.logs.get(entry.id):
            yield Finding("lost", entry.id, f"its creation was acknowledged ({entry.facts['key']})")
    titles = Counter(task.title for task in evidence.tasks.values())
    for task in evidence.tasks.values():
        if task.title.startswith(KEYED) and titles[task.title] > 1:
            yield Finding("doubled", task.id, f"{titles[task.title]} tasks of {task.title}")


def wishes_are_logged(evidence: Evidence) -> Iterator[Finding]:
    """Acknowledged answers, words, cancels and the like are in the log; what came under a key, once."""
    said = _said(evidence)
    for entry in (*evidence.entries("answer"), *evidence.entries("speak")):
        times = len(said[entry.facts["key"]])
        if times != 1:
            yield Finding("doubled" if times else "lost", entry.id, f"{entry.facts['key']} is there {times} times")
    for op, kind in (("cancel", "cancelled"), ("requeue", "requeued"), ("prioritise", "reprioritised")):
        for entry in evidence.entries(op):
            if not any(event.kind == kind for event in evidence.logs.get(entry.id, ())):
                yield Finding("lost", entry.id, f"an acknowledged {op}")


def _said(evidence: Evidence) -> dict[str, list[str]]:
    """What people said → the tasks in whose logs it stands: as an answer, a message, or a task's prompt."""
    said: dict[str, list[str]] = defaultdict(list)
    for task_id, log in evidence.logs.items():
        for event in log:
            if event.kind in ("answered", "message"):
                said[event.data["message"]].append(task_id)
            elif event.kind == "created" and "follows" not in event.data["metadata"]:
                said[event.data["prompt"]].append(task_id)
    return said


def cancels_are_final(evidence: Evidence) -> Iterator[Finding]:
    for entry in evidence.entries("cancel"):
        task = evidence.tasks.get(entry.id)
        if task is not None and task.state != "cancelled":
            yield Finding("completed after cancel", entry.id, f"it is {task.state}")


def logs_are_whole(evidence: Evidence) -> Iterator[Finding]:
    """Numbers without gaps, positions that never fall, one end and nothing after it, only edges that exist."""
    for task_id, log in evidence.logs.items():
        task = evidence.tasks.get(task_id)
        if task is None:
            yield Finding("lost", task_id, "there is a log without a task")
            continue
        seqs = [event.seq for event in log]
        if seqs != list(range(1, task.last_seq + 1)):
            yield Finding("gap", task_id, f"the log has {len(seqs)} events, the row says {task.last_seq}")
        if any(before.position > after.position for before, after in zip(log, log[1:], strict=False)):
            yield Finding("out of order", task_id, "positions fall")
        if sum(event.kind in ENDS for event in log) > 1:
            yield Finding("doubled", task_id, "it ended more than once")
        for step in walk(log):
            if not step.is_allowed:
                yield Finding("out of order", task_id, f"{step.event.kind} ({step.event.seq}) while {step.before}")


def attempts_grow(evidence: Evidence) -> Iterator[Finding]:
    for task_id, log in evidence.logs.items():
        last = 0
        for step in walk(log):
            if step.event.kind != "claimed":
                continue
            if step.facts.attempt != last + 1:
                yield Finding("attempts", task_id, f"attempt {step.facts.attempt} came after {last}")
            if step.facts.attempt > step.facts.max_attempts:
                yield Finding("attempts", task_id, f"attempt {step.facts.attempt} of {step.facts.max_attempts}")
            last = step.facts.attempt


def rows_are_folds(evidence: Evidence) -> Iterator[Finding]:
    for task_id, task in evidence.tasks.items():
        facts = folded(evidence.logs.get(task_id, ()))
        for name in COMPARED:
            actual, expected = getattr(task, name), getattr(facts, name)
            if actual != expected:
                yield Finding("row is no fold", task_id, f"{name} is {actual!r}, the log says {expected!r}")


def tokens_are_fresh(reports: Reports) -> Iterator[Finding]:
    """One token for each attempt, one attempt for each token."""
    attempts: dict[str, set[tuple[str, int]]] = defaultdict(set)
    tokens: dict[tuple[str, int], set[str]] = defaultdict(set)
    for entry in reports.evidence.entries("claim"):
        key = (entry.id, entry.facts["attempt"])
        attempts[entry.facts["token"]].add(key)
        tokens[key].add(entry.facts["token"])
    yield from (
        Finding("tokens", next(iter(of))[0], f"one token for {sorted(of)}") for of in attempts.values() if len(of) > 1
    )
    yield from (
        Finding("tokens", key[0], f"{len(of)} tokens for attempt {key[1]}") for key, of in tokens.items() if len(of) > 1
    )


def streams_missed_nothing(evidence: Evidence) -> Iterator[Finding]:
    for entry in evidence.entries("stream", FAIL):
        yield Finding("gap", entry.id, f"a stream told {entry.facts['got']} where {entry.facts['expected']} was next")
    for entry in (*evidence.entries("watched"), *evidence.entries("unwatched", FAIL)):
        if not _saw_the_end(evidence, entry):
            yield Finding("gap", entry.id, f"a stream ended at {entry.facts['seq']}")
    for entry in evidence.entries("monitored"):
        for task_id, task in evidence.tasks.items():
            if task.state in ENDS and entry.facts["seqs"].get(task_id) != task.last_seq:
                yield Finding("gap", task_id, f"a monitor was told up to {entry.facts['seqs'].get(task_id)}")


def _saw_the_end(evidence: Evidence, entry: Entry) -> bool:
    task = evidence.tasks.get(entry.id)
    return task is None or task.state not in ENDS or entry.facts["seq"] == task.last_seq


def moves_are_posted(evidence: Evidence) -> Iterator[Finding]:
    """The outbox was given exactly the moves of the log: state, event and outbox row commit together."""
    moves = {
        (task_id, event.seq, event.kind)
        for task_id, log in evidence.logs.items()
        for event in log
        if event.kind in MOVES
    }
    for task_id, seq, kind in sorted(moves - evidence.outbox):
        yield Finding("outbox", task_id, f"{kind} ({seq}) was never in the outbox")
    for task_id, seq, kind in sorted(evidence.outbox - moves):
        yield Finding("outbox", task_id, f"{kind} ({seq}) is in the outbox and not in the log")


def nothing_is_stuck(evidence: Evidence) -> Iterator[Finding]:
    """Whatever has not ended waits for a reason that the rows themselves show."""
    hands = {entry.facts["worker"] for entry in evidence.entries("claim")}
    for task in evidence.tasks.values():
        if task.state in ENDS:
            continue
        if task.state != "pending":
            yield Finding(
                "stuck", task.id, f"{task.state}, held by {task.worker_id!r}, lease over for {task.overdue} s"
            )
        elif task.waits >= 0 and not (hands and hands <= set(task.declined_by)):
            yield Finding("stuck", task.id, f"pending, claimable for {task.waits:.0f} s")


def limits_hold(evidence: Evidence) -> Iterator[Finding]:
    """No bound was ever exceeded, by the log; and what its row says is held really is."""
    for bound in evidence.bounds:
        name = f"{bound.kind} {bound.key}"
        if bound.held != bound.really_held:
            yield Finding("limits", "", f"{name}: the row says {bound.held} are held, it is {bound.really_held}")
        if bound.most is not None and (peak := peak_of(evidence, bound.kind, bound.key)) > bound.most:
            yield Finding("limits", "", f"{name}: {peak} were held at once, at most {bound.most} may be")


PAUSE_TAKES = 1.0
"""Seconds after its answer in which claims that were just being made may still appear."""


def pauses_hold(evidence: Evidence) -> Iterator[Finding]:
    """Nothing was claimed in a paused part of the queue."""
    ends = [(entry.id, entry.facts["asked"]) for entry in evidence.entries("resume")]
    for pause in evidence.entries("pause"):
        begin = pause.facts["granted"] + PAUSE_TAKES
        end = min((asked for key, asked in ends if key == pause.id and asked > pause.facts["granted"]), default=begin)
        for task_id, log in evidence.logs.items():
            if not log or pause.id not in (log[0].data.get("queue"), log[0].data.get("concurrency_key")):
                continue
            if any(event.kind == "claimed" and event.at and begin < event.at.timestamp() < end for event in log):
                yield Finding("limits", task_id, f"claimed while {pause.id} was paused")


def peak_of(evidence: Evidence, kind: str, key: str) -> int:
    """The most tasks under a bound that were held at the same time."""
    changes = []
    for log in evidence.logs.values():
        is_under, is_held = kind == "workspace", False
        for event in log:
            if event.kind == "created" and kind in ("codebase", "key"):
                is_under = event.data.get({"codebase": "queue", "key": "concurrency_key"}[kind]) == key
            elif event.kind == "claimed":
                is_under = event.data["worker_id"] == key if kind == "worker" else is_under
                is_held = is_under
                changes += [(event.at, 1)] if is_under else []
            elif is_held and (event.kind in ENDS or event.kind in ("requeued", "lease_lost")):
                is_held = False
                changes.append((event.at, -1))
    peak = held = 0
    for _, change in sorted(changes, key=lambda one: (one[0], one[1])):  # type: ignore[arg-type, return-value]
        held += change
        peak = max(peak, held)
    return peak
