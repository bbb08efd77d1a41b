"""The checker: reads what a run has left and says what must not be. It shares no code with the product.

`judged` is pure: evidence in, findings out. So planted evidence tests it (tests/unit/test_chaos_checker.py).
"""

from collections.abc import Iterator

from tests.chaos import checks
from tests.chaos.evidence import Evidence
from tests.chaos.reports import Finding, Reports, releases_agree, reports_agree

VERDICTS = (
    "lost", "doubled", "stale accepted", "out of order", "gap", "stuck", "attempts", "tokens", "outbox",
    "completed after cancel", "row is no fold", "limits",
)  # fmt: skip


def judged(evidence: Evidence) -> dict[str, list[Finding]]:
    """All findings under their verdicts; every verdict is there, most of them hopefully empty."""
    found: dict[str, list[Finding]] = {name: [] for name in VERDICTS}
    for finding in _findings(evidence):
        if finding not in found[finding.verdict]:
            found[finding.verdict].append(finding)
    return found


def _findings(evidence: Evidence) -> Iterator[Finding]:
    reports = Reports(evidence)
    yield from checks.creates_are_there(evidence)
    yield from checks.wishes_are_logged(evidence)
    yield from checks.cancels_are_final(evidence)
    yield from checks.logs_are_whole(evidence)
    yield from checks.attempts_grow(evidence)
    yield from checks.rows_are_folds(evidence)
    yield from checks.streams_missed_nothing(evidence)
    yield from checks.moves_are_posted(evidence)
    yield from checks.nothing_is_stuck(evidence)
    yield from checks.limits_hold(evidence)
    yield from checks.pauses_hold(evidence)
    yield from checks.tokens_are_fresh(reports)
    yield from reports_agree(reports)
    yield from releases_agree(reports)
