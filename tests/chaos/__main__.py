"""`python -m tests.chaos`: run the product under faults, then judge what is left. Exit code 1 where something is amiss.

The same seed makes the same decisions: which tasks there are and what their workers do, which part is struck when.
When exactly a request meets a fault is the machine's business, so a finding comes again often, not always.
"""

import argparse
import os
import secrets
import signal
import sys

from tests.chaos.checker import judged
from tests.chaos.evidence import gathered
from tests.chaos.report import table
from tests.chaos.run import folder_of, performed
from tests.chaos.scene import Scene

FULL = (10_000, 500, 3)
SHORT = (250, 16, 1)
"""Tasks, faults, runs."""


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options(arguments)
    seeds = [options.seed + number for number in range(options.seeds)]
    print(f"seeds: {', '.join(map(str, seeds))}", flush=True)
    amiss = [seed for seed in seeds if not _is_sound(seed, options)]
    for seed in seeds:
        print(f"seed {seed}: {'SOMETHING IS AMISS' if seed in amiss else 'nothing is amiss'}")
    return 1 if amiss else 0


def _is_sound(seed: int, options: argparse.Namespace) -> bool:
    """One run; whether the checker found nothing."""
    with folder_of(seed, keep=options.keep) as folder:
        scene = Scene(seed=seed, tasks=options.tasks, faults=options.faults, folder=folder, driver=os.getpid())
        where = f" in {folder}" if options.keep else ""
        print(
            f"seed {seed}: {scene.tasks} tasks, {scene.faults} faults, about {scene.seconds:.0f} s{where}", flush=True
        )
        with performed(scene) as run:
            evidence = gathered(run.database_url, scene.histories)
        verdicts = judged(evidence)
        print(table(run, evidence, verdicts), flush=True)
    return not any(verdicts.values())


def _options(arguments: list[str]) -> argparse.Namespace:
    """With what is not said filled in by the size of the run."""
    options = _parser().parse_args(arguments)
    tasks, faults, seeds = SHORT if options.short else FULL
    options.tasks, options.faults = options.tasks or tasks, options.faults or faults
    options.seeds = options.seeds or seeds
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description="Kill, freeze, lose, double; then check."
    )
    parser.add_argument(
        "--short", action="store_true", help="a few hundred tasks and every kind of fault, under a minute"
    )
    parser.add_argument("--tasks", type=int, help="how many tasks clients make")
    parser.add_argument("--faults", type=int, help="how many kills and freezes")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="replay the decisions of a run")
    parser.add_argument("--seeds", type=int, help="how many runs, each with the seed after the last (3; short: 1)")
    parser.add_argument("--keep", action="store_true", help="leave the folder with data, logs and histories")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
