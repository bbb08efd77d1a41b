"""Stops an attempt whose time, money, lease or patience is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from codetether_worker import lease
from codetether_worker.agents.base import AgentSession
from codetether_worker.halts import Halt
from codetether_worker.lease import Lease
from codetether_worker.limits import MEGABYTE, AttemptLimits

USAGE_INTERVAL = 5.0  # seconds between looks at what a running turn has used
_LOOK = 1.0
_SHORTEST = 0.02


class Watch:
    """Looks at one session until it calls `halt`, at least once a second.

    `begun` is the reading of lease.now() at which the attempt began; `said` tells how many bytes it has reported and
    `used` what earlier sessions of the attempt have used.
    """

    def __init__(
        self, session: AgentSession, limits: AttemptLimits, held: Lease, *, begun: float, halt: Callable[[Halt], None],
        said: Callable[[], int], used: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._session = session
        self._limits = limits
        self._held = held
        self._begun = begun
        self._halt = halt
        self._said = said
        self._used = used
        self._asking_since: float | None = None

    async def run(self) -> None:
        usage: Mapping[str, Any] = {}
        look_at = 0.0
        while True:
            if self._limits.counts_usage and lease.now() >= look_at:
                usage = self._used(await self._session.measure())
                look_at = lease.now() + USAGE_INTERVAL
            reason = next(self._reasons(usage), None)
            if reason is not None:
                self._halt(reason)
                return
            await asyncio.sleep(max(_SHORTEST, min(_LOOK, *self._times_left())))

    def _times_left(self) -> list[float]:
        """Seconds until something could be used up."""
        now, limits = lease.now(), self._limits
        left = [self._held.remaining, limits.idle - (now - self._session.last_activity)]
        if limits.seconds is not None:
            left.append(limits.seconds - (now - self._begun))
        if self._asking_since is not None and limits.question is not None:
            left.append(limits.question - (now - self._asking_since))
        return left

    def _reasons(self, usage: Mapping[str, Any]) -> Iterator[Halt]:
        """Why the attempt has to end now; the lease comes first, since without it no other reason would count."""
        now, limits = lease.now(), self._limits
        if self._held.remaining <= 0:
            yield Halt.lease_lost()
        if self._said() > limits.output:
            told = f"the agent reported more than {limits.output // MEGABYTE} MB"
            yield Halt.over(code="output_limit", text=f"{told}, which this worker's output limit does not allow")
        yield from over_budget(limits, now - self._begun, usage)
        yield from self._silence(now)

    def _silence(self, now: float) -> Iterator[Halt]:
        if self._session.awaits_person:
            self._asking_since = self._asking_since if self._asking_since is not None else now
            if self._limits.question is not None and now - self._asking_since >= self._limits.question:
                yield Halt.unanswered(self._limits.question)
            return
        self._asking_since = None
        if now - self._session.last_activity >= self._limits.idle:
            yield Halt.idle(self._limits.idle, self._session.trouble)


def over_budget(limits: AttemptLimits, seconds: float, usage: Mapping[str, Any]) -> Iterator[Halt]:
    """What of time, money and tokens has been used up, with the figures."""
    if limits.seconds is not None and seconds >= limits.seconds:
        spent = f"after {seconds / 60:.3g} minutes; its time limit is {limits.seconds / 60:.3g}"
        yield Halt.over(code="time_limit", text=f"the attempt was stopped {spent} minutes")
    cost = float(usage.get("cost_usd") or 0)
    if limits.cost_usd is not None and cost > limits.cost_usd:
        text = f"the attempt had cost ${cost:.4f}; its cost limit is ${limits.cost_usd:.4f}"
        yield Halt.over(code="cost_limit", text=text)
    tokens = tokens_in(usage)
    if limits.tokens is not None and tokens > limits.tokens:
        text = f"the attempt had used {tokens} tokens; its token limit is {limits.tokens:.0f}"
        yield Halt.over(code="token_limit", text=text)


def tokens_in(usage: Mapping[str, Any]) -> int:
    """All tokens: those that came from a cache are counted apart from the input."""
    return sum(int(usage.get(name) or 0) for name in ("input_tokens", "output_tokens", "cached_input_tokens"))
