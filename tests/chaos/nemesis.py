"""Who is killed or frozen, when and for how long: decided by the seed alone, before anything has started.

What then happens in the machine cannot be replayed; the same seed makes the same decisions.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.scene import LEASE_SECONDS, Scene

KILL, FREEZE, KILL_SESSION = "kill", "freeze", "kill a session of"


@dataclass(frozen=True, slots=True)
class Fault:
    """At `at` seconds, `deed` to the part of `kind` that `choice` (0 to 1) picks; again well after `lasts` seconds."""

    at: float
    kind: str
    deed: str
    choice: float
    lasts: float


@dataclass(frozen=True, slots=True)
class Odds:
    """How often such a fault is drawn, how long it lasts, and the least time between two of its kind."""

    weight: int
    kind: str
    deed: str
    lasts: tuple[float, float]
    apart: float = 0.0


ODDS = (
    Odds(14, "hand", KILL, (0.0, 1.0)),
    Odds(14, "hand", FREEZE, (1.5 * LEASE_SECONDS, 3.0 * LEASE_SECONDS)),
    Odds(14, "worker daemon", KILL, (0.0, 1.0)),
    Odds(14, "worker daemon", FREEZE, (1.5 * LEASE_SECONDS, 3.0 * LEASE_SECONDS)),
    Odds(11, "web", KILL, (0.0, 1.0), apart=2.5),
    Odds(11, "web", FREEZE, (0.3, 3.0 * LEASE_SECONDS)),
    Odds(3, "jobs", KILL, (0.0, 1.0), apart=6.0),
    Odds(2, "jobs", FREEZE, (1.0, 3.0 * LEASE_SECONDS)),
    Odds(2, "clock", KILL, (0.0, 1.0), apart=6.0),
    Odds(2, "clock", FREEZE, (1.0, 3.0 * LEASE_SECONDS)),
    Odds(4, "valkey", KILL, (0.0, 1.0), apart=3.0),
    Odds(4, "valkey", FREEZE, (0.3, 4.0)),
    Odds(2, "postgres", KILL, (0.0, 0.5), apart=8.0),
    Odds(2, "postgres", KILL_SESSION, (0.0, 0.0), apart=8.0),
    Odds(3, "postgres", FREEZE, (0.3, 1.5 * LEASE_SECONDS), apart=4.0),
)
FIRST_AT = 1.0


def schedule(scene: Scene) -> list[Fault]:
    """The run's faults in order. Every kind occurs where there are enough of them."""
    chance = random.Random(f"{scene.seed} nemesis")
    drawn = list(_drawn(scene.faults, chance))
    gap = (scene.seconds - FIRST_AT) / max(1, scene.faults)
    last: dict[str, float] = {}
    faults = []
    for number, odds in enumerate(drawn):
        at = FIRST_AT + (number + chance.random()) * gap
        at = max(at, last.get(odds.kind, -odds.apart) + odds.apart)
        last[odds.kind] = at
        faults.append(Fault(min(at, scene.seconds), odds.kind, odds.deed, chance.random(), chance.uniform(*odds.lasts)))
    return sorted(faults, key=lambda fault: fault.at)


def _drawn(number: int, chance: random.Random) -> Iterator[Odds]:
    """Whole decks first, so that the rare ones are not left to luck, each as thick as its weights."""
    deck = [odds for odds in ODDS for _ in range(odds.weight)]
    first = list(ODDS)
    chance.shuffle(first)
    left = number
    while left > 0:
        pile, first = (first, []) if first else (list(deck), [])
        chance.shuffle(pile)
        yield from pile[:left]
        left -= len(pile)
