"""The worker daemon as a process of its own.

It is forked from a process that has imported everything already: starting Python and the protocol libraries
anew takes a second of CPU, which dozens of tests would pay. Nothing else differs from the command.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType

from tests.fakes import machine
from tests.fakes.control_plane import TOKEN

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["codetether_worker.cli", "codetether_worker.agents.opencode"])


def _run_command(arguments: tuple[str, ...], environment: dict[str, str], log_file: str, inside: int | None) -> None:
    """In the new process: become `codetether-worker ARGUMENTS` with this environment, stderr into the file."""
    from codetether_worker.cli import main  # noqa: PLC0415 (preloaded; the test process itself must not need it)

    if inside is not None:
        machine.enter(inside)
    os.environ.clear()
    os.environ.update(environment)
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 (for the life of the process)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(arguments))


class WorkerProcess:
    """`codetether-worker` on a state directory of its own; stopped at the end if it still runs.

    `log` is what it wrote to stderr so far; `inside` names a process of the machine on which it runs.
    """

    def __init__(
        self, server_url: str, home: Path, *arguments: str, environment: Mapping[str, str] | None = None,
        inside: int | None = None,
    ) -> None:  # fmt: skip
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
        self._inside = inside
        self._process: ForkServerProcess | None = None

    def __enter__(self) -> WorkerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.is_alive():
            self.stop()
        if kind is not None:
            sys.stderr.write(self.log)

    def start(self) -> None:
        job = (self._arguments, self._environment, str(self._log_file), self._inside)
        self._process = _FORKS.Process(target=_run_command, args=job)
        self._process.start()

    @property
    def pid(self) -> int:
        if self._process is None or self._process.pid is None:
            raise RuntimeError("the worker was never started")
        return self._process.pid

    @property
    def log(self) -> str:
        if not self._log_file.exists():
            return ""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, *, seconds: float = 20.0) -> int:
        """Its exit code once it has ended; fails the test, and kills it, after `seconds`."""
        process = self._process
        if process is None:
            raise RuntimeError("the worker was never started")
        process.join(seconds)
        if process.exitcode is None:
            self.kill()
            raise AssertionError(f"the worker did not end in {seconds} s")
        return process.exitcode

    def stop(self) -> int:
        """Ask it to stop and wait; returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """What a crash or the kernel's OOM killer does."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.join()
