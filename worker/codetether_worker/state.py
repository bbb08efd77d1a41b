"""The state directory: who this worker is, what it has not delivered yet, and the lock that guards both."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from codetether_worker.errors import ConfigError, StateDirBusy


@dataclass(frozen=True, slots=True)
class State:
    """An open, locked state directory.

    `instance` marks the agent processes of this directory's daemon, so that the next run finds leftovers.
    """

    root: Path
    worker_id: str
    instance: str
    _lock: int

    @property
    def outbox_dir(self) -> Path:
        return self.root / "outbox"

    @property
    def scratch_dir(self) -> Path:
        """Files of one attempt each; they go when it ends."""
        return self.root / "scratch"

    @property
    def trees_dir(self) -> Path:
        """Git worktrees of tasks, and beside each the record of whose it is."""
        return self.root / "trees"

    @property
    def global_dir(self) -> Path:
        """Where tasks without a codebase work. It stays: OpenCode resumes a session only in the same folder."""
        return self.root / "global"

    def clear_scratch(self) -> None:
        """Remove what attempts left behind whose worker was killed: they may hold files of clients."""
        for leftover in self.scratch_dir.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)

    def close(self) -> None:
        os.close(self._lock)


def open_state(root: Path, *, worker_id: str | None) -> State:
    """Create or reopen the directory; raises StateDirBusy when another daemon runs on it."""
    try:
        for folder in (root, root / "outbox", root / "scratch", root / "trees", root / "global"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _take_lock(root / "lock")
        return State(
            root=root,
            worker_id=worker_id or _kept(root / "worker_id", f"{_host_slug()}-{secrets.token_hex(4)}"),
            instance=_kept(root / "instance", secrets.token_hex(8)),
            _lock=lock,
        )
    except OSError as error:
        raise ConfigError(f"--state-dir: {root} cannot be used: {error.strerror}") from error


def _take_lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateDirBusy(
            f"another worker is running on {path.parent}; give this one its own --name or --state-dir"
        ) from error
    return handle


def _kept(path: Path, fresh: str) -> str:
    """The text kept in the file, or `fresh` after keeping it there."""
    with suppress(FileNotFoundError):
        kept = path.read_text(encoding="ascii", errors="ignore").strip()
        if kept:
            return kept
    partial = path.with_suffix(".new")
    partial.write_text(fresh + "\n", encoding="ascii")
    partial.replace(path)
    return fresh


def _host_slug() -> str:
    host = socket.gethostname().split(".")[0]
    return "".join(c for c in host if c.isascii() and (c.isalnum() or c == "-")).strip("-") or "worker"
