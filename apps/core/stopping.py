"""Whether this process is about to end, told to whatever would otherwise stay open: streams end at once.

A server announces the end too late for us: uvicorn closes its listeners, waits for open answers, and only
then sends the lifespan's shutdown. So we listen to the signals themselves, beside the server's own
handlers.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """The beginning of the end, once per process. All but the signal handler runs on the server's loop."""

    def __init__(self) -> None:
        self.has_begun = False
        self._calls: set[Callable[[], None]] = set()

    def begin(self) -> None:
        """Call what waits for the end; later calls change nothing."""
        self.has_begun = True
        while self._calls:
            self._calls.pop()()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Have `call` called when the end begins within the block (at once where it has begun already)."""
        if self.has_begun:
            call()
        else:
            self._calls.add(call)
        try:
            yield
        finally:
            self._calls.discard(call)

    @contextmanager
    def watching_signals(self) -> Iterator[None]:
        """Begin the end at SIGTERM or SIGINT, and then let the server's own handler do its part."""
        self.has_begun = False
        loop = asyncio.get_running_loop()
        before = self._chain(loop) if threading.current_thread() is threading.main_thread() else {}
        try:
            yield
        finally:
            self.begin()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _chain(self, loop: asyncio.AbstractEventLoop) -> dict[signal.Signals, Any]:
        before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in SIGNALS}

        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.begin)
            following = before[signal.Signals(number)]
            if callable(following):
                following(number, frame)

        for number in SIGNALS:
            signal.signal(number, handle)
        return before


stopping = Stopping()
