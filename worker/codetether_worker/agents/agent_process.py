"""The process of an agent program, and how it is ended with everything it started."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from codetether_worker.backoff import abandon
from codetether_worker.errors import AgentError
from codetether_worker.processes import reap

_LINE_LIMIT = 64 * 1024 * 1024  # bytes of one message; whole files travel in one
_EXIT_GRACE = 1.0
_KILL_GRACE = 2.0


class AgentProcess:
    """A running program in a session of its own: a Ctrl-C in the worker's terminal is the worker's alone."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, mark: str) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the three standard streams must be pipes")
        self._process = process
        self._name = name
        self._mark = mark
        self.stdin = process.stdin
        self.stdout = process.stdout
        self._stderr: deque[str] = deque(maxlen=20)
        self._reader = asyncio.create_task(self._read(process.stderr))

    @classmethod
    async def start(
        cls, name: str, command: tuple[str, ...], *, folder: Path, environment: Mapping[str, str], mark: str
    ) -> AgentProcess:
        """Raises AgentError when the program cannot be started."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=folder, env={**environment, mark: "1"}, start_new_session=True,
                stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:
            raise AgentError(f"{name} cannot be started: {error}", code="agent_start") from error
        return cls(process, name, mark)

    async def _read(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last lines; a full pipe would block the program."""
        while chunk := await stderr.read(65536):
            self._stderr.extend(chunk.decode("utf-8", "replace").splitlines())

    async def obituary(self) -> str:
        """How the program ended, with the last thing it said on stderr."""
        code: object = "unknown"
        with suppress(TimeoutError):
            code = await asyncio.wait_for(self._process.wait(), _EXIT_GRACE)
        said = " | ".join(line for line in list(self._stderr)[-5:] if line.strip())
        text = f"{self._name} ended unexpectedly (exit code {code})"
        return f"{text}: {said}"[:2000] if said else text

    async def close(self) -> None:
        """An idle program exits when its input ends; others and children are ended by their mark."""
        self.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _EXIT_GRACE)
        await reap(self._mark, grace=_KILL_GRACE)
        await self._process.wait()
        await abandon(self._reader)
