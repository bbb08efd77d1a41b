"""`python -m tests.fuzz`: thousands of requests by all three bindings to real processes (docs/development/fuzz.md).

The requests are made from the product's own tables, so it is loaded here too, once its servers are there.
"""

import argparse
import importlib
import random

import django

from tests.fuzz.stage import staged

CASES = 21_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--cases", type=int, default=CASES, help=f"requests of all bindings together ({CASES})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="makes the same requests again")
    options = parser.parse_args()
    with staged() as stage:
        django.setup()
        wrong: int = importlib.import_module("tests.fuzz.run").run(stage, cases=options.cases, seed=options.seed)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
