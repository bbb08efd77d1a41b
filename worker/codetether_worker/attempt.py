"""One claim on this worker, with what goes on for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from codetether_worker.outbox import ClaimLog
from codetether_worker.protocol import Outcome
from codetether_worker.run import ClaimRun


@dataclass(slots=True)
class Attempt:
    """One claim with its two owned tasks: doing the work, and telling the server about it."""

    run: ClaimRun
    outbox: ClaimLog
    tree: Path | None = None
    agent: str = ""
    since: float = field(default_factory=time.time)
    work: asyncio.Task[Outcome] | None = None
    delivery: asyncio.Task[None] | None = None

    @property
    def working(self) -> bool:
        return self.work is not None and not self.work.done()

    @property
    def owing(self) -> bool:
        return self.delivery is not None and not self.delivery.done()
