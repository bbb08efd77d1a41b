"""The worker daemon as a process of its own, the way people run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.fakes.control_plane import TOKEN


class WorkerProcess:
    """`codetether-worker` on a state directory of its own; killed at the end if it still runs.

    `log` is what it wrote to stderr so far.
    """

    def __init__(
        self, server_url: str, home: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.state_dir = home / "state"
        self._log_file = home / "worker.log"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "A2A_TOKEN": TOKEN,
            "A2A_SERVER_URL": server_url,
            "A2A_WORKER_NAME": "ada-laptop",
            "A2A_POLL_INTERVAL": "0.2",
            "A2A_LOG_LEVEL": "DEBUG",
            "A2A_WORKER_DRAIN_GRACE": "0.2",
            **(environment or {}),
        }
        self._arguments = ("--state-dir", str(self.state_dir), *arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WorkerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        if kind is not None:
            sys.stderr.write(self.log)

    def start(self) -> None:
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "codetether_worker", *self._arguments],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the worker was never started")
        return self._process

    @property
    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def stop(self, *, seconds: float = 20.0) -> int:
        """Ask it to stop and wait; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        """What a crash or the kernel's OOM killer does."""
        self.process.kill()
        self.process.wait()
