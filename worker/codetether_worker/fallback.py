"""One attempt with several models: when a provider's limit ends the work with one, the next goes on with it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from codetether_worker import events, quota
from codetether_worker.agents.base import AgentSession
from codetether_worker.files import TaskFiles
from codetether_worker.protocol import Outcome
from codetether_worker.run import ClaimRun

log = logging.getLogger(__name__)

type OpenSession = Callable[[str | None, str | None], Awaitable[AgentSession]]
"""From a model (None: the program's own choice) and the session of this attempt to go on with (None: the claim's)."""


async def execute_with_fallbacks(
    run: ClaimRun, open_session: OpenSession, files: TaskFiles, models: Sequence[str | None]
) -> Outcome:
    """How the attempt ended; snoozed until the earliest limit is over where every model has reached one."""
    waits, begun = list[float](), None
    for model, following in zip(models, [*models[1:], None], strict=True):
        outcome = await run.execute(await open_session(model, begun), files)
        begun = run.session_id if run.has_spoken else None
        wait = None if run.halted and outcome.error_code != "agent_idle" else quota_wait(outcome)
        if wait is None and not (waits and outcome.error_code == "model_unavailable"):
            return outcome
        waits += [wait] if wait is not None else []
        log.info("quota task=%s model=%s wait=%s: %s", run.claim.task_id, model, wait, outcome.error)
        if following is None or run.halted:
            break
        run.emit(
            events.status(f"{model or 'The model'} cannot be used now ({outcome.error}); going on with {following}.")
        )
    return snoozed(outcome, min(waits))


def quota_wait(outcome: Outcome) -> float | None:
    """Seconds until a provider's limit is over that has ended the attempt; None where something else did."""
    if outcome.status != "failed" or not outcome.error:
        return None
    return quota.seconds_to_wait(outcome.error, now=datetime.now(UTC))


def snoozed(outcome: Outcome, seconds: float) -> Outcome:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    text = f"a limit of the model's provider, until about {until:%Y-%m-%d %H:%M} UTC: {outcome.error}"
    return replace(
        outcome, status="pending", error=text, error_code="quota", retry=False, retry_after=seconds, result=None
    )
