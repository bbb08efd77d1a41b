"""How long an attempt may take and what it may use: by the worker's settings, the codebase's and the task's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codetether_worker.protocol import Claim

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """The worker's own, for all its attempts; zero sets no limit. `question` in seconds, `output` in megabytes."""

    idle: float
    question: float
    output: int
    minutes: float
    cost_usd: float
    tokens: float


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """Seconds, US dollars, tokens and bytes; None sets no limit.

    `idle`: without a sign of life; `question`: until an unanswered question is left to a later attempt; `output`: of
    all events together; `tokens`: input and output, cached ones as well.
    """

    idle: float
    question: float | None
    output: int
    seconds: float | None = None
    cost_usd: float | None = None
    tokens: float | None = None

    @property
    def counts_usage(self) -> bool:
        return self.cost_usd is not None or self.tokens is not None


def limits_of(claim: Claim, defaults: DefaultLimits) -> AttemptLimits:
    """The codebase's own limits come before the worker's; the task's metadata may only lower what then holds."""
    minutes = _lowest("max_minutes", claim, defaults.minutes)
    return AttemptLimits(
        idle=defaults.idle,
        question=defaults.question or None,
        output=defaults.output * MEGABYTE,
        seconds=minutes * 60 if minutes is not None else None,
        cost_usd=_lowest("max_cost_usd", claim, defaults.cost_usd),
        tokens=_lowest("max_tokens", claim, defaults.tokens),
    )


def _lowest(name: str, claim: Claim, default: float) -> float | None:
    of_codebase = _amount(claim.codebase.agent_config, name) if claim.codebase else None
    given = [of_codebase or (default or None), _amount(claim.metadata, name)]
    return min((amount for amount in given if amount is not None), default=None)


def _amount(settings: Mapping[str, Any], name: str) -> float | None:
    """A positive number; anything else, zero included, sets no limit."""
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if value > 0 else None
