"""The process of an agent program, and how it is ended with everything it started."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from codetether_worker import cgroups
from codetether_worker.backoff import abandon
from codetether_worker.errors import AgentError
from codetether_worker.processes import reap

log = logging.getLogger(__name__)

LINE_LIMIT = 64 * 1024 * 1024  # bytes of one message; whole files travel in one
_EXIT_GRACE = 1.0
_KILL_GRACE = 2.0


class Messages:
    """JSON messages on a program's standard streams, one a line, as the protocol library wants them.

    The library's own reader takes lines of any length; one without an end would take all memory.
    """

    def __init__(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        self._writer = writer
        self._reader = reader
        self.too_long = False

    async def send(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")
        await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None at the end, or where a message is longer than it may be."""
        while line := await self._line():
            await asyncio.sleep(0)  # what is in the buffer is read without a pause, and others have to come in between
            try:
                message = json.loads(line)
            except ValueError:  # some programs print what is not meant for us
                log.debug("a line that is no JSON: %s", line[:200])
                continue
            if isinstance(message, dict):
                return message
        return None

    async def _line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            self.too_long = True
            return b""
        except asyncio.IncompleteReadError as end:
            return end.partial

    async def close(self) -> None:
        """The process closes its streams itself."""

    async def drain(self) -> None:
        """Read on and throw away until the program closes its end: a full pipe would keep it from ending."""
        while await self._reader.read(LINE_LIMIT):
            pass


class AgentProcess:
    """A running program in a session of its own: a Ctrl-C in the worker's terminal is the worker's alone."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, mark: str) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the three standard streams must be pipes")
        self._process = process
        self._name = name
        self._mark = mark
        self._stdin = process.stdin
        self.messages = Messages(process.stdin, process.stdout)
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
                stdin=pipe, stdout=pipe, stderr=pipe, limit=LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:  # perhaps it is just being replaced by a newer one
            raise AgentError(f"{name} cannot be started: {error}", code="agent_start", retry=True) from error
        cgroups.enrol(process.pid, mark)
        return cls(process, name, mark)

    async def _read(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last lines; a full pipe would block the program."""
        while chunk := await stderr.read(65536):
            self._stderr.extend(chunk.decode("utf-8", "replace").splitlines())

    async def obituary(self) -> AgentError:
        """How the program ended, with the last thing it said on stderr, or why it cannot be listened to any more."""
        if self.messages.too_long:
            most = f"{LINE_LIMIT // 1024**2} MB"
            return AgentError(f"{self._name} sent a message longer than {most}", code="agent_line_too_long")
        code: object = "unknown"
        with suppress(TimeoutError):
            code = await asyncio.wait_for(self._process.wait(), _EXIT_GRACE)
        said = " | ".join(line for line in list(self._stderr)[-5:] if line.strip())
        text = f"{self._name} ended unexpectedly (exit code {code})"
        return AgentError(f"{text}: {said}"[:2000] if said else text, code="agent_crashed", retry=True)

    async def close(self) -> None:
        """An idle program exits when its input ends; others and children are ended by their mark."""
        self._stdin.close()
        drain = asyncio.create_task(self.messages.drain())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _EXIT_GRACE)
        await reap(self._mark, grace=_KILL_GRACE)
        await self._process.wait()
        await abandon(self._reader)
        await abandon(drain)
