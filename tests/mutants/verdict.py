"""What became of a mutant: caught, survived, or broken (it failed for a reason that is not its fault's)."""

import json
from dataclasses import dataclass
from pathlib import Path

CAUGHT, SURVIVED, BROKEN, GREEN = "caught", "SURVIVED", "BROKEN", "green"

ALL_PASSED, SOME_FAILED = 0, 1
"""Pytest's exit codes; all others mean that the tests did not run properly."""

SLIPS = frozenset({
    "SyntaxError", "ImportError", "NameError", "AttributeError", "TypeError", "ProgrammingError", "UsageError",
})  # fmt: skip
"""What code raises that was mutilated and not made faulty."""


@dataclass(frozen=True)
class Verdict:
    """`by` is the test that turned red, `why` its first line."""

    outcome: str
    by: str = ""
    why: str = ""


def judge(exit_code: int, witness: Path, output: str) -> Verdict:
    """The verdict on a mutant's run: its exit code, the file that the witness wrote, and what pytest printed."""
    if exit_code == ALL_PASSED:
        return Verdict(SURVIVED)
    failures = _failures(witness)
    if exit_code != SOME_FAILED or not failures:
        return Verdict(BROKEN, why=f"pytest ended with {exit_code}\n{output[-3000:]}")
    first = failures[0]
    why = f"{first['kinds'][0]}: {first['message']}"
    slipped = first["when"] == "setup" or SLIPS & set(first["kinds"])
    return Verdict(BROKEN if slipped else CAUGHT, first["test"], why)


def judge_baseline(exit_code: int, output: str) -> Verdict:
    """The verdict on the unchanged copy, whose tests must all pass."""
    if exit_code == ALL_PASSED:
        return Verdict(GREEN)
    return Verdict(BROKEN, why=f"pytest ended with {exit_code}\n{output[-3000:]}")


def _failures(witness: Path) -> list[dict[str, str]]:
    if not witness.exists():
        return []
    return [json.loads(line) for line in witness.read_text(encoding="utf-8").splitlines()]
