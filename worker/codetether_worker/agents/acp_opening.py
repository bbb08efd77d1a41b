"""Opens a session of a program that speaks the Agent Client Protocol: a new one, an earlier one, or a copy of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import acp
from acp import schema
from acp.exceptions import RequestError

from codetether_worker import __version__, events, lease
from codetether_worker.agents.acp_answers import choices_of
from codetether_worker.agents.base import Assignment
from codetether_worker.agents.launch import Launch
from codetether_worker.errors import AgentError


class SessionOpening:
    """From the first word on the connection until the session can be prompted.

    `explain` puts an error of the program into words; `last_activity` is when it last said anything, by lease.now().
    """

    def __init__(
        self, connection: Any, assignment: Assignment, launch: Launch, environment: Mapping[str, str], *,
        explain: Callable[[RequestError], str], last_activity: Callable[[], float],
    ) -> None:  # fmt: skip
        self._connection = connection
        self._assignment = assignment
        self._launch = launch
        self._environment = environment
        self._explain = explain
        self._last_activity = last_activity
        self._session_id = ""

    async def open(self) -> str:
        """The id of the session that is ready for prompts. Raises AgentError, or what the connection raises."""
        capabilities = schema.ClientCapabilities()
        about = schema.Implementation(name="codetether-worker", version=__version__)
        ready = await self._connection.initialize(
            protocol_version=acp.PROTOCOL_VERSION, client_capabilities=capabilities, client_info=about
        )
        opened = await self._earlier_session(ready.agent_capabilities)
        if opened is None:
            opened = await self._connection.new_session(
                cwd=str(self._assignment.workdir), mcp_servers=[], **self._launch.meta
            )
            self._session_id = opened.session_id
        choices = choices_of(opened)
        await self._choose("model", self._launch.model, choices)
        await self._enter_mode(self._launch.mode, opened, choices)
        return self._session_id

    async def _earlier_session(self, offered: schema.AgentCapabilities | None) -> Any:
        """The session to go on with, or a copy of it; None where there is none, or this machine does not have it."""
        earlier = self._assignment.session_id
        if earlier and self._assignment.forks:
            return await self._fork(earlier, offered)
        return await self._load_session(earlier) if earlier and offered and offered.load_session else None

    async def _fork(self, original: str, offered: schema.AgentCapabilities | None) -> Any:
        """A new session with what is in the original, which stays as it is. Raises AgentError where that cannot be."""
        sessions = offered.session_capabilities if offered else None
        if sessions is None or sessions.fork is None:
            raise AgentError(f"{self._launch.program} cannot fork a session", code="fork_unsupported")
        try:
            opened = await self._connection.fork_session(
                cwd=str(self._assignment.workdir), session_id=original, mcp_servers=[], **self._launch.meta
            )
        except RequestError as error:
            why = f"session {original} cannot be forked here: {self._explain(error)}"
            raise AgentError(why, code="fork_failed") from error
        if opened.session_id == original:
            raise AgentError(f"{self._launch.program} gave the original session back", code="fork_failed")
        self._session_id = opened.session_id
        return opened

    async def _load_session(self, session_id: str) -> Any:
        """The earlier session, or None when this machine does not have it. What it replays is old news."""
        self._session_id = session_id
        delay = self._launch.quirks.resume_delay(self._environment, self._session_id)
        if delay > 0:
            self._assignment.emit(events.status(f"{self._launch.program} can resume this session in {delay:.0f} s"))
            await asyncio.sleep(delay)
        try:
            opened = await self._connection.load_session(
                cwd=str(self._assignment.workdir), session_id=self._session_id, mcp_servers=[], **self._launch.meta
            )
            await self._silence(self._launch.quirks.replay_silence)
            await asyncio.to_thread(self._launch.quirks.tidy, self._environment, session_id)
            return opened
        except RequestError as error:
            why = f"Session {self._session_id} cannot be resumed here ({self._explain(error)})"
            self._assignment.emit(events.status(f"{why}; a new one is started."))
            return None

    async def _silence(self, seconds: float) -> None:
        """Wait until the program has said nothing for so long."""
        until = lease.now() + seconds
        while lease.now() < until:  # noqa: ASYNC110 (no event tells of silence)
            await asyncio.sleep(until - lease.now())
            until = max(until, self._last_activity() + seconds)

    async def _choose(self, option: str, wanted: str | None, choices: Mapping[str, Sequence[str]]) -> None:
        """Set one option of the session. A mode that the program does not have is left at its default, unless it is
        what keeps the program from writing.

        A model may be named without its provider; the first that fits is taken.
        """
        if wanted is None:
            return
        offered = choices.get(option, ())
        fitting = [value for value in offered if wanted in (value, value.partition("/")[2])]
        if fitting:
            value = wanted if wanted in fitting else fitting[0]
            await self._connection.set_config_option(config_id=option, session_id=self._session_id, value=value)
        elif option == "model":
            names = ", ".join(offered[:20]) or "none"
            why = f"the model {wanted} is not available on this worker (available: {names})"
            raise AgentError(why, code="model_unavailable")
        elif self._assignment.reads_only:
            why = f"{self._launch.program} has no mode {wanted}, so it could not be kept from writing"
            raise AgentError(why, code="mode_unavailable")

    async def _enter_mode(self, mode: str | None, opened: Any, choices: Mapping[str, Sequence[str]]) -> None:
        """By the session's option where it has one, else by its list of modes."""
        listed = opened.modes.available_modes if opened.modes else ()
        if mode is not None and mode not in choices.get("mode", ()) and any(known.id == mode for known in listed):
            await self._connection.set_session_mode(session_id=self._session_id, mode_id=mode)
        else:
            await self._choose("mode", mode, choices)
