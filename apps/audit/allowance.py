"""How many refusals are written down: whoever is refused without end must not fill the disk.

Counted per process and minute: so many for each address, and so many in all. What is left out is counted, and the next
entry that is written tells how many those were.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable

WINDOW_SECONDS = 60.0
PER_ADDRESS = 20
IN_ALL = 200
"""Of all addresses together: somebody may have many."""


class Allowance:
    """Threads share one; `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._given: Counter[str] = Counter()
        self._left_out = 0

    def take(self, address: str) -> int | None:
        """How many were left out since the last entry; None where this one is left out too."""
        with self._lock:
            now = self._clock()
            if now - self._began >= WINDOW_SECONDS:
                self._began = now
                self._given.clear()
            if self._given[address] >= PER_ADDRESS or self._given.total() >= IN_ALL:
                self._left_out += 1
                return None
            self._given[address] += 1
            left_out, self._left_out = self._left_out, 0
            return left_out

    def clear(self) -> None:
        """Begin anew, as a new process does."""
        with self._lock:
            self._given.clear()
            self._left_out = 0


REFUSALS = Allowance()
"""This process's."""
