"""Start and stop server programs, each in a session of its own and tied to the launcher's life."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from codetether.embedded.errors import EmbeddedError

CHILD_PROGRAM = Path(__file__).with_name("child.py")
LOG_LIMIT_BYTES = 10 * 1024 * 1024
# The servers get nothing of the launcher's environment: no secrets, no locale, no library paths. child.py does
# get it, because some interpreters do not start without their LD_LIBRARY_PATH.
CLEAN = ("/usr/bin/env", "-i", f"PATH={os.defpath}", "LC_ALL=C", "TZ=UTC", "HOME=/")


@dataclass(frozen=True)
class Identity:
    """As whom a server runs: ``kind`` is "same" or of child.IDENTITIES, ``owner`` the uid for its files."""

    kind: str
    uid: int
    gid: int
    owner: int


def command_line(
    identity: Identity, command: Sequence[str], death_signal: signal.Signals = signal.SIGTERM
) -> list[str]:
    """The command that turns into ``command`` after child.py has prepared the process."""
    shim = [sys.executable, "-I", "-S", str(CHILD_PROGRAM)]
    numbers = (identity.uid, identity.gid, os.getpid(), int(death_signal))
    return [*shim, identity.kind, *map(str, numbers), *command]


def run(
    identity: Identity, command: Sequence[str], *, text: str = "", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; stdout and stderr come back together as ``stdout``."""
    return subprocess.run(
        command_line(identity, [*CLEAN, *command], signal.SIGKILL),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        timeout=timeout,
        check=False,
        start_new_session=True,
    )


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; a big one first moves to ``<name>.1``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab")


class Server:
    """One running server program.

    The kernel ties the child to the *thread* that started it: start servers from a thread that lives as long
    as they should, in practice the main one.
    """

    def __init__(
        self,
        *,
        name: str,
        identity: Identity,
        command: Sequence[str],
        log: Path,
        stop_signal: signal.Signals,
        configuration: bytes = b"",
    ) -> None:
        self.name = name
        self.log = log
        self._identity = identity
        self._command = command
        self._stop_signal = stop_signal
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start the program with its configuration on standard input; again too, after it has ended."""
        with open_log(self.log) as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command_line(self._identity, [*CLEAN, *self._command], self._stop_signal),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        assert self._process.stdin is not None
        # A program that is already gone is noticed by who waits for it to be ready.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(self._configuration)

    @property
    def pid(self) -> int:
        """The process id, also after the end; 0 before the start."""
        return 0 if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while running (and before the start), else the code, negative for a signal."""
        return None if self._process is None else self._process.poll()

    def stop(self, timeout: float = 10) -> None:
        """Ask the program to end and wait; kill it after ``timeout`` seconds."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def log_lines(self) -> list[str]:
        """What this run has written to its log so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()


@dataclass(frozen=True)
class Part:
    """One of the servers as the launcher sees it."""

    key: str
    url: str
    server: Server
    is_ready: Callable[[], bool]
    failure: Callable[[list[str]], str]  # the line of a log that says why the server ended

    def wait_until_ready(self, deadline: float) -> None:
        """Block until the server answers; EmbeddedError after ``deadline`` (as time.monotonic() counts)."""
        server = self.server
        while not self.is_ready():
            if server.exit_code is not None:
                reason = self.failure(server.log_lines())
                raise EmbeddedError(f"{server.name} did not start: {reason} (log: {server.log})")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{server.name} is not ready in time; see {server.log}.")
            time.sleep(0.01)


def arguments_of(pid: int) -> list[str]:
    """The command line of a living process; empty when there is none (or no /proc to ask)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def end(pid: int, stop_signal: signal.Signals, timeout: float) -> None:
    """End a process that is not our child: ask, wait ``timeout`` seconds, then kill."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(descriptor, stop_signal)
        if not select.select([descriptor], [], [], timeout)[0]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], timeout)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)
