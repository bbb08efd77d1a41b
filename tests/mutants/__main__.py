"""`python -m tests.mutants`: plant each fault in a copy of the product and see the tests turn red.

Ends with 1 when a fault survives, when one is broken (it fails for a reason that is not its own), or when the tests
are red without any.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from codetether.env import load
from tests.mutants.fault import Mutant
from tests.mutants.field import Field, fenced
from tests.mutants.planted import MUTANTS
from tests.mutants.verdict import CAUGHT, GREEN, Verdict

Line = tuple[str, Verdict, float]


def run(field: Field, mutants: Sequence[Mutant]) -> list[Line]:
    """A line for the unchanged copy and one for each mutant; only the first where that is red."""
    began = time.monotonic()
    unchanged = field.baseline([test for mutant in mutants for test in mutant.tests])
    lines = [("(none)", unchanged, time.monotonic() - began)]
    tell(lines[0])
    if unchanged.outcome != GREEN:
        return lines
    for mutant in mutants:
        began = time.monotonic()
        lines.append((mutant.name, field.grow(mutant), time.monotonic() - began))
        tell(lines[-1])
    return lines


def tell(line: Line) -> None:
    """Progress, with the reason in full."""
    name, verdict, seconds = line
    sys.stderr.write(f"{name}: {verdict.outcome} in {seconds:.0f} s {verdict.by}\n    {verdict.why}\n")
    sys.stderr.flush()


def write(lines: Sequence[Line]) -> None:
    rows = [("mutant", "outcome", "seconds", "caught by", "because of")]
    rows += [(name, v.outcome, f"{s:.1f}", v.by, v.why.splitlines()[0][:80] if v.why else "") for name, v, s in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", choices=[mutant.name for mutant in MUTANTS])
    parser.add_argument("--list", action="store_true", help="say what the faults are, and plant none")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not options.only or mutant.name in options.only]
    if options.list:
        sys.stdout.write("".join(f"{mutant.name}: {mutant.story}\n" for mutant in chosen))
        return 0
    settings = load()
    with fenced(settings.database_url, settings.redis_url) as field:
        lines = run(field, chosen)
    write(lines)
    caught = [line for line in lines if line[1].outcome == CAUGHT]
    sys.stdout.write(f"{len(caught)} of {len(chosen)} caught\n")
    return 0 if len(caught) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
