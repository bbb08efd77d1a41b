"""How much is told of the sessions on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Each `interval` seconds (0: never) at most the `sessions` of a store that changed last, and of each the newest
    `messages`. `opencode_storage` is a place to look at besides the usual ones.
    """

    interval: float
    sessions: int
    messages: int
    opencode_storage: Path | None
