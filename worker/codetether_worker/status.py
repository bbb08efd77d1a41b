"""What the worker of a state folder is doing, in a small file there: the daemon writes it, `status` reads it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codetether_worker import __version__
from codetether_worker.config import Config
from codetether_worker.state import State

log = logging.getLogger(__name__)

Facts = dict[str, Any]
_FILE = "status.json"
_EVERY = 1.0  # seconds between two looks
_LONGEST_TEXT = 500  # characters of a log line


class StatusBoard:
    """Keeps the file true while the worker runs, and takes it away at an orderly end.

    What a part of the worker has to say is added by `show`; times in the file are seconds since the epoch.
    """

    def __init__(self, config: Config, state: State) -> None:
        self._path = state.root / _FILE
        self._fixed: Facts = {
            "pid": os.getpid(),
            "process_started": process_start(os.getpid()),
            "started_at": time.time(),
            "version": __version__,
            "name": config.name,
            "worker_id": state.worker_id,
            "server_url": config.server_url,
            "concurrency": config.concurrency,
        }
        self._told: Callable[[], Facts] = lambda: {"phase": "connecting", "tasks": []}
        self._written: Facts = {}
        self._trouble = _LastTrouble()
        logging.getLogger("codetether_worker").addHandler(self._trouble)

    def show(self, told: Callable[[], Facts]) -> None:
        """From now on this says what the worker does: `phase`, `tasks`, `last_heartbeat_at` and more."""
        self._told = told

    async def run(self) -> None:
        while True:
            facts = self._facts()  # here: what the parts tell is the event loop's
            if facts != self._written:
                await asyncio.to_thread(self._store, facts)
            await asyncio.sleep(_EVERY)

    def write(self) -> None:
        """For the time before there is anything to wait for."""
        self._store(self._facts())

    def _facts(self) -> Facts:
        return {**self._fixed, **self._told(), "last_trouble": self._trouble.last}

    def _store(self, facts: Facts) -> None:
        """A disk that is full costs the status, not the worker."""
        try:
            _replace(self._path, json.dumps(facts))
            self._written = facts
        except OSError as error:
            log.debug("status not written: %s", error)

    def close(self) -> None:
        logging.getLogger("codetether_worker").removeHandler(self._trouble)
        self._path.unlink(missing_ok=True)


class _LastTrouble(logging.Handler):
    """Remembers the last warning or error that was logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: Facts | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.last = {"at": record.created, "level": record.levelname, "text": record.getMessage()[:_LONGEST_TEXT]}


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(".new")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as written:
        written.write(text)
    partial.replace(path)


def read_status(folder: Path) -> Facts | None:
    """What the folder's running worker has written; None when none runs. Raises OSError where it may not be read."""
    try:
        facts = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    if not isinstance(facts, dict) or not _is_running(facts):
        return None
    return facts


def _is_running(facts: Facts) -> bool:
    """A number may have gone to another process since; the time at which that began tells them apart."""
    pid = facts.get("pid")
    return isinstance(pid, int) and (started := process_start(pid)) is not None and started == facts["process_started"]


def process_start(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did (proc(5), stat field 22); None when it is gone."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else int(fields[18])


def outbox_size(folder: Path) -> tuple[int, int]:
    """How many claims owe the server something, or may come to, and the bytes kept for them."""
    try:
        sizes = [path.stat().st_size for path in (folder / "outbox").glob("*.jsonl")]
    except FileNotFoundError:
        return 0, 0
    return len(sizes), sum(sizes)
