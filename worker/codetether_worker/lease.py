"""How long a claim is surely ours, by this machine's own clock."""

from __future__ import annotations

import time


def now() -> float:
    """Seconds on a clock that no one sets and that goes on while the machine sleeps, where there is one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """Counts from when a request was *sent*, so it never outlasts the server's own lease."""

    def __init__(self, seconds: float, *, sent_at: float) -> None:
        self.seconds = seconds
        self._expires_at = sent_at + seconds

    def renew(self, *, sent_at: float) -> None:
        self._expires_at = max(self._expires_at, sent_at + self.seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; zero or less once it has expired."""
        return self._expires_at - now()
