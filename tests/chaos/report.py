"""The one table of a run: what was done to it, what became of it, and what the checker says."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.chaos.checks import peak_of
from tests.chaos.evidence import Evidence
from tests.chaos.history import FAIL, OK, UNKNOWN, Entry
from tests.chaos.reports import Finding
from tests.chaos.run import Performed

SHOWN = 8
"""Findings spelled out under a verdict; all ids are named in any case."""

Row = tuple[str, str]


def rows(run: Performed, evidence: Evidence) -> Iterator[Row]:
    """What happened, as names and figures."""
    yield "tasks created, acknowledged", f"{len(evidence.tasks)}, {len(evidence.entries('create'))}"
    yield "what became of them", _counted(Counter(task.state for task in evidence.tasks.values()))
    yield "claims", _counted(_claims(evidence))
    yield "claims by", _counted(Counter(_kind(entry.facts["worker"]) for entry in evidence.entries("claim")
                                        if entry.actor == "wire"))  # fmt: skip
    yield "rescues", str(_requeued(evidence)["lease expired"] + _kinds(evidence)["lease_lost"])
    yield "events in the logs", str(sum(len(log) for log in evidence.logs.values()))
    for deed in sorted({deed for deed, _ in run.striker.done}):
        yield deed, _counted(Counter({kind: n for (one, kind), n in run.striker.done.items() if one == deed}))
    yield "kills and freezes", str(sum(run.striker.done.values()))
    yield "ended by themselves", _counted(run.striker.ended) or "none"
    yield "requests", _counted(Counter(entry.id for entry in evidence.entries("misfortune"))) or "passed on"
    yield "stale claims refused", str(sum(entry.facts["code"] == "stale_claim" for entry in _wire(evidence, FAIL)))
    yield "writes with unknown outcome", str(len(_wire(evidence, UNKNOWN)))
    for bound in evidence.bounds:
        peak = peak_of(evidence, bound.kind, bound.key)
        yield f"held at once: {bound.kind} {bound.key[-6:]}".rstrip(), f"{peak} of at most {bound.most}"
    watched = [*evidence.entries("watched"), *evidence.entries("monitored")]
    yield "streams, connections of them", f"{len(watched)}, {sum(entry.facts['connections'] for entry in watched)}"
    yield "time, of it until all had ended", f"{run.seconds:.0f} s, {run.settled_in:.0f} s"


def table(run: Performed, evidence: Evidence, verdicts: Mapping[str, Sequence[Finding]]) -> str:
    """The rows and the verdicts as text."""
    lines = [f"{name:<34}{value}" for name, value in rows(run, evidence)]
    for name, findings in verdicts.items():
        ids = " ".join(sorted({finding.task_id for finding in findings}))
        lines.append(f"{name.upper():<34}{len(findings)} {ids}".rstrip())
        lines += [f"    {finding.task_id}: {finding.what}" for finding in findings[:SHOWN]]
    return "\n".join(lines)


def _wire(evidence: Evidence, outcome: str) -> list[Entry]:
    return [e for op in ("events", "release") for e in evidence.entries(op, outcome) if e.actor == "wire"]


def _claims(evidence: Evidence) -> Counter[str]:
    in_logs, told = _kinds(evidence)["claimed"], {entry.facts["token"] for entry in evidence.entries("claim", OK)}
    return Counter({"in the logs": in_logs, "told to their worker": len(told)})


def _kind(worker: str) -> str:
    return worker.rpartition("-")[0]


def _kinds(evidence: Evidence) -> Counter[str]:
    return Counter(event.kind for log in evidence.logs.values() for event in log)


def _requeued(evidence: Evidence) -> Counter[str]:
    events = (event for log in evidence.logs.values() for event in log if event.kind == "requeued")
    return Counter(event.data["reason"] for event in events)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
