"""What a check has found, and how it is shown."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

_NARROWEST, _WIDEST = 60, 120  # columns


class Level(StrEnum):
    """`warn` lets the worker work, perhaps less well than it could; `fail` does not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. `mend` says what to do, and stands wherever the level is not ok."""

    area: str
    level: Level
    text: str
    mend: str = ""


def ok(area: str, text: str) -> Finding:
    return Finding(area, Level.OK, text)


def warn(area: str, text: str, mend: str) -> Finding:
    return Finding(area, Level.WARN, text, mend)


def fail(area: str, text: str, mend: str) -> Finding:
    return Finding(area, Level.FAIL, text, mend)


def all_well(findings: Sequence[Finding]) -> bool:
    """Whether a worker would work."""
    return all(finding.level is not Level.FAIL for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    body = {"ok": all_well(findings), "checks": [asdict(finding) for finding in findings]}
    return json.dumps(body, indent=2) + "\n"


def as_table(findings: Sequence[Finding]) -> str:
    """Level, area and text in columns; what to do about it below."""
    width = max(len(finding.area) for finding in findings)
    across = min(max(shutil.get_terminal_size((_WIDEST, 24)).columns, _NARROWEST), _WIDEST)
    lines = []
    for finding in findings:
        head = f"{finding.level:<4}  {finding.area:<{width}}  "
        lines += _wrapped(head, finding.text, across)
        if finding.mend:
            lines += _wrapped(" " * len(head) + "-> ", finding.mend, across)
    return "\n".join([*lines, "", _verdict(findings)]) + "\n"


def _wrapped(head: str, text: str, across: int) -> list[str]:
    return textwrap.wrap(
        text, across, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _verdict(findings: Sequence[Finding]) -> str:
    failed = sum(finding.level is Level.FAIL for finding in findings)
    warned = sum(finding.level is Level.WARN for finding in findings)
    if failed:
        return f"{failed} to mend before the worker can work, {warned} to look at."
    return f"Ready to work, {warned} to look at." if warned else "Ready to work."
