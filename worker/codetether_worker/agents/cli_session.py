"""Drives a program without the Agent Client Protocol: one run for each prompt, whose lines tell what happens."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from codetether_sessions.redaction import redacted
from codetether_worker import cgroups, events, lease
from codetether_worker.agents.acp_answers import message_in
from codetether_worker.agents.acp_updates import UpdateTranslator
from codetether_worker.agents.base import Answer, Assignment, Turn
from codetether_worker.agents.cli_lines import CliTurn
from codetether_worker.agents.launch import CliLaunch
from codetether_worker.errors import AgentError
from codetether_worker.files import ARTIFACTS_VARIABLE, artifacts_folder
from codetether_worker.processes import reap
from codetether_worker.worktree import WorkingTree

_LINE_LIMIT = 64 * 1024 * 1024  # bytes of one line; whole files travel in one
_EXIT_GRACE = 2.0  # seconds from the terminal line until the program has ended by itself
_KILL_GRACE = 2.0


class CliSession:
    """A conversation in which each prompt is a run of its own that resumes the one before. Nobody can be asked."""

    awaits_person = False
    trouble: str | None = None
    refused: Sequence[str] = ()

    def __init__(self, assignment: Assignment, launch: CliLaunch) -> None:
        self._assignment = assignment
        self._launch = launch
        own = {"PWD": str(assignment.workdir), ARTIFACTS_VARIABLE: str(artifacts_folder(assignment.scratch))}
        self._environment = {**launch.environment, **own}
        self._tree = WorkingTree(assignment.workdir, assignment.scratch)
        self._updates = UpdateTranslator(assignment, self._tree)
        self._session_id = assignment.session_id
        self._forks = assignment.forks
        self._cancelling = False
        self._turns: list[CliTurn] = []
        self._last_words: deque[str] = deque(maxlen=5)
        self.last_activity = lease.now()

    async def start(self) -> str | None:
        """Nothing runs yet; the id of a new session is known once the first run has told it."""
        lacking = f"{self._launch.program} can ask nobody here, since its adapter is not installed"
        if self._assignment.denied:
            why = f"{lacking}; so it cannot be held to what the codebase denies"
            raise AgentError(why, code="asking_unsupported")
        if not (self._assignment.auto_approves or self._assignment.reads_only):
            raise AgentError(f"{lacking}; the codebase wants to be asked first", code="asking_unsupported")
        await self._tree.remember()
        self._updates.start()
        return None if self._forks else self._session_id

    async def prompt(self, text: str) -> Turn:
        self._updates.begin_turn()
        self._cancelling = False
        self._last_words.clear()
        self.last_activity = lease.now()
        turn = CliTurn()
        self._turns.append(turn)
        code = await self._run(text, turn)
        await self._updates.settle()
        for event in await self._tree.remaining():
            self._assignment.emit(event)
        return self._ended(turn, code)

    async def _run(self, text: str, turn: CliTurn) -> int | None:
        """One run, to its end and that of everything it started. The prompt goes by stdin: arguments are public."""
        command = self._launch.command(self._session_id, self._forks)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=self._assignment.workdir, env={**self._environment, self._assignment.mark: "1"},
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True, limit=_LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:
            raise AgentError(f"{self._launch.program} cannot be started: {error}", code="agent_start") from error
        cgroups.enrol(process.pid, self._assignment.mark)
        try:
            await asyncio.gather(_hand_over(process, text), self._read(process, turn))
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _EXIT_GRACE)
        finally:
            await reap(self._assignment.mark, grace=_KILL_GRACE)
            await process.wait()
        return process.returncode

    async def _read(self, process: asyncio.subprocess.Process, turn: CliTurn) -> None:
        """Until the terminal line, or until the program closes its end."""
        while process.stdout is not None and not turn.done and (line := await _line(process.stdout)):
            self.last_activity = lease.now()
            try:
                told = json.loads(line)
            except ValueError:
                self._last_words.append(line.decode("utf-8", "replace").strip()[:400])
                continue
            if isinstance(told, Mapping):
                self._take(told, turn)

    def _take(self, told: Mapping[str, Any], turn: CliTurn) -> None:
        for update in self._launch.read(told, turn):
            self._updates.take(update)
        if turn.session_id and (self._forks or turn.session_id != self._session_id):
            self._session_id, self._forks = turn.session_id, False
            self._assignment.emit(events.session(session_id=turn.session_id, agent=self._launch.program))

    def _ended(self, turn: CliTurn, code: int | None) -> Turn:
        """A success only by the terminal line, without an error, and with nothing refused that was wanted."""
        text = self._updates.answer_text.strip()
        if self._cancelling:
            return Turn("cancelled", text)
        if not turn.done:
            said = " | ".join(word for word in self._last_words if word)
            why = f"{self._launch.program} ended unexpectedly (exit code {code})" + (f": {said}" if said else "")
            return Turn("failed", text, error=self._clean(why), error_code="agent_crashed", retry=True)
        if turn.error is not None:
            return Turn("failed", text, error=self._clean(message_in(turn.error)), error_code="agent_error")
        if turn.refused and not self._assignment.reads_only:
            why = f"{self._launch.program} was not permitted to use {', '.join(turn.refused)}"
            return Turn("failed", text, error=self._clean(why), error_code="permission_denied")
        return Turn("end_turn", text)

    def _clean(self, text: str) -> str:
        return redacted(text, self._environment)[:2000]

    async def cancel(self) -> None:
        """The program keeps its session as it goes along, so it can be ended at once."""
        self._cancelling = True
        await reap(self._assignment.mark, grace=_KILL_GRACE)

    def answer(self, text: str, data: Mapping[str, Any]) -> Answer:
        return Answer.UNASKED

    def usage(self) -> Mapping[str, Any]:
        counted = [turn.tokens for turn in self._turns if turn.tokens]
        if not counted:
            return {}
        totals: dict[str, Any] = {
            "input_tokens": sum(used.input for used in counted),
            "output_tokens": sum(used.output for used in counted),
            "cached_input_tokens": sum(used.cached for used in counted),
        }
        costs = [turn.cost_usd for turn in self._turns if turn.cost_usd is not None]
        if costs:
            totals["cost_usd"] = round(sum(costs), 8)
        return totals | ({"model": self._assignment.model} if self._assignment.model else {})

    async def measure(self) -> Mapping[str, Any]:
        return self.usage()

    async def close(self) -> None:
        await self._updates.close()
        await reap(self._assignment.mark, grace=_KILL_GRACE)


async def _hand_over(process: asyncio.subprocess.Process, text: str) -> None:
    if process.stdin is not None:
        with suppress(ConnectionError):  # a program that dies at once says why on its other end
            process.stdin.write(text.encode("utf-8", "replace"))
            await process.stdin.drain()
        process.stdin.close()


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError as error:  # longer than the limit
        raise AgentError(f"a line longer than {_LINE_LIMIT >> 20} MiB", code="agent_error") from error
