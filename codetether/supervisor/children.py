"""One supervised program: started, restarted when it ends by itself, stopped with everything it began."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codetether.embedded.processes import Identity, command_line, open_log

FIRST_DELAY = 0.5  # seconds before the first restart; doubles with every quick end
LONGEST_DELAY = 30.0
STEADY_AFTER = 30.0  # a run of this many seconds counts as sound: the delay begins anew


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. ``log`` is None for programs that write to the console."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None
    stop_timeout: float = 5.0  # seconds from SIGTERM to SIGKILL
    pass_fds: Sequence[int] = ()


class Child:
    """Keeps one program running until ``stop``. ``report`` gets one line whenever it had to be restarted."""

    def __init__(
        self,
        program: Program,
        report: Callable[[str], None],
        *,
        restarts: bool = True,
        first_delay: float = FIRST_DELAY,
    ) -> None:
        self.program = program
        self.restarts = restarts  # may be set later: an end before that is final
        self.ended_once = asyncio.Event()
        self.exit_code: int | None = None
        self._report = report
        self._first_delay = first_delay
        self._delay = first_delay
        self._stopping = asyncio.Event()
        self._is_restart_wanted = False
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the program and the task that watches it."""
        await self._spawn()
        self._loop = asyncio.create_task(self._keep_running(), name=f"watch {self.program.name}")

    async def run_to_end(self) -> str:
        """Run the program once and return what it wrote to standard output; killed if this is cancelled."""
        await self._spawn(is_output_wanted=True)
        assert self._process is not None
        try:
            output, _ = await self._process.communicate()
        finally:
            self.kill()
            self.exit_code = await self._process.wait()
        return output.decode(errors="replace")

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def stop(self) -> None:
        """Ask the program to end, kill it after its ``stop_timeout``; returns when it is gone."""
        self._stopping.set()
        if self._loop is None:
            return
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._loop], timeout=self.program.stop_timeout)
        if not done:
            self._report(f"{self.program.name} does not stop within {self.program.stop_timeout:g} s; killing it")
            self.kill()
        await self._loop

    def kill(self) -> None:
        """End the program and its process group at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def restart(self) -> None:
        """Ask the program to end; it is started again at once."""
        self._is_restart_wanted = True
        self._signal(signal.SIGTERM)

    def last_line(self) -> str:
        """The last line that this run has written to its log; empty without a log."""
        if self.program.log is None:
            return ""
        with self.program.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            await self._wait_for_end()
            if self._stopping.is_set() or not self.restarts:
                return
            if loop.time() - started >= STEADY_AFTER:
                self._delay = self._first_delay
            if await self._is_stopped_during_pause():
                return
            await self._spawn()

    async def _wait_for_end(self) -> None:
        assert self._process is not None
        self.exit_code = await self._process.wait()
        self.ended_once.set()
        # Whatever the program has left running in its group ends with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _is_stopped_during_pause(self) -> bool:
        if self._is_restart_wanted:
            self._is_restart_wanted = False
            self._report(f"{self.program.name} restarts as asked")
            return False
        self._report(f"{self.program.name} {self.describe_end()}; starting again in {self._delay:g} s")
        pause, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)
        return self._stopping.is_set()

    def describe_end(self) -> str:
        """How the last run ended, its last words and where to read more, on one line."""
        code = self.exit_code
        assert code is not None
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        words = f": {self.last_line()}" if self.last_line() else ""
        return f"{how}{words}" + (f" (log: {self.program.log})" if self.program.log else "")

    async def _spawn(self, *, is_output_wanted: bool = False) -> None:
        program = self.program
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(open_log(program.log)) if program.log else None
            self._log_start = log.tell() if log else 0
            self._process = await asyncio.create_subprocess_exec(
                *command_line(Identity("same", 0, 0, 0), program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if is_output_wanted else log,
                stderr=log,
                env=dict(program.environment),
                pass_fds=tuple(program.pass_fds),
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
