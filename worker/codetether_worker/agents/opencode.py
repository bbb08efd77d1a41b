"""OpenCode (https://opencode.ai), driven by `opencode acp`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from acp.schema import AllowedOutcome

from codetether_sessions.redaction import redacted
from codetether_sessions.stores import data_folder
from codetether_worker import lease, quota
from codetether_worker.agents.acp_session import AcpSession
from codetether_worker.agents.base import AgentSession, Assignment, Turn
from codetether_worker.agents.launch import Launch
from codetether_worker.agents.opencode_environment import opencode_environment
from codetether_worker.agents.opencode_news import OPTIONS, Interface, Listeners, OpenCodeNews
from codetether_worker.backoff import abandon

# OpenCode has two modes of its own: build, which may do everything, and plan, which may not edit.
_MODES = {"build": "build", "general": "build", "plan": "plan", "explore": "plan"}

# A session and the sessions of its sub-agents.
_TOTALS = """
WITH RECURSIVE family(id) AS (
    SELECT id FROM session WHERE id = ?
    UNION SELECT child.id FROM session AS child JOIN family ON child.parent_id = family.id
)
SELECT sum(tokens_input), sum(tokens_output + tokens_reasoning), sum(tokens_cache_read), sum(cost)
FROM session JOIN family USING (id)
"""
_NAMES = ("input_tokens", "output_tokens", "cached_input_tokens", "cost_usd")
_PATIENCE = 3  # tries of OpenCode's own at a provider whose limit is reached
_LONGEST_WAIT = 60.0  # seconds between two of them
_STOPPING = 3.0


class OpenCode:
    """The program on this machine; `environment` is the worker's own."""

    name = "opencode"

    def __init__(self, program: Path, environment: Mapping[str, str]) -> None:
        self._program = program
        self._environment = environment

    def open(self, assignment: Assignment) -> AgentSession:
        environment = opencode_environment(
            {**self._environment, **assignment.environment},
            asks_first=not assignment.auto_approves,
            asks_always=bool(assignment.denied),
            reads_only=assignment.reads_only,
            max_steps=assignment.max_steps,
        )
        mode = _MODES.get(assignment.agent_type, assignment.agent_type or None)
        interface = Interface.reserve()
        command = (str(self._program), "acp", *interface.arguments)
        launch = Launch(self.name, command, environment | interface.environment, mode, assignment.model)
        return OpenCodeSession(assignment, launch, interface)


class OpenCodeSession(AcpSession):
    """Counts tokens and cost from OpenCode's own database: the protocol tells only the last model call's.

    What the protocol does not tell at all comes from `OpenCodeNews`.
    """

    def __init__(self, assignment: Assignment, launch: Launch, interface: Interface) -> None:
        super().__init__(assignment, launch)
        listeners = Listeners(asked=self._asked, moved=self._moved, trouble=self._troubled)
        self._news = OpenCodeNews(interface, assignment.workdir, listeners)
        self._gave_up: asyncio.Future[str] | None = None
        self._model = assignment.model
        self._database = data_folder(launch.environment) / "opencode.db"
        self._before: dict[str, float] = {}
        self._totals: dict[str, float] | None = None

    async def start(self) -> str | None:
        session_id = await super().start()
        before = await asyncio.to_thread(read_totals, self._database, self.session_id)
        self._before = before or {}
        self._news.start(self.session_id)
        return session_id

    async def prompt(self, text: str) -> Turn:
        self._gave_up = asyncio.get_running_loop().create_future()
        turn = asyncio.create_task(super().prompt(text), name="opencode turn")
        awaited: set[asyncio.Future[Any]] = {turn, self._gave_up}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            return turn.result() if turn.done() else await self._give_up(turn, self._gave_up.result())
        finally:
            await abandon(turn)
            await self.measure()

    async def _give_up(self, turn: asyncio.Task[Turn], why: str) -> Turn:
        """The provider's limit is worth no more waiting in here: others know better what to do meanwhile."""
        await self.cancel()
        await asyncio.wait({turn}, timeout=_STOPPING)
        return Turn("failed", turn.result().text if turn.done() else "", error=why, error_code="agent_error")

    async def _asked(self, session_id: str, call: Mapping[str, Any]) -> str | None:
        self._moved()
        outcome = (await self._permissions.decide(call, OPTIONS)).outcome
        return outcome.option_id if isinstance(outcome, AllowedOutcome) else None

    def _moved(self) -> None:
        self.last_activity, self.trouble = lease.now(), None

    def _troubled(self, why: str | None, attempt: int, wait: float) -> None:
        self.trouble = redacted(why, self._environment) if why else None
        if self.trouble is None or self._gave_up is None or self._gave_up.done():
            return
        limited = quota.seconds_to_wait(self.trouble, now=datetime.now(UTC)) is not None
        if limited and (attempt >= _PATIENCE or wait > _LONGEST_WAIT):
            # OpenCode's own wait comes from the provider's answer, of which the text may tell nothing.
            self._gave_up.set_result(
                f"{self.trouble} (retry after {wait:.0f} s)" if wait > _LONGEST_WAIT else self.trouble
            )

    async def measure(self) -> Mapping[str, Any]:
        self._totals = await asyncio.to_thread(read_totals, self._database, self.session_id) or self._totals
        return self.usage()

    async def close(self) -> None:
        await self._news.close()
        await super().close()

    def usage(self) -> Mapping[str, Any]:
        if self._totals is None:
            return super().usage()
        used: dict[str, Any] = {name: max(0, self._totals[name] - self._before.get(name, 0)) for name in _NAMES}
        used["cost_usd"] = round(used["cost_usd"], 8)
        return used | ({"model": self._model} if self._model else {})


def read_totals(database: Path, session_id: str) -> dict[str, float] | None:
    """Tokens and cost of a session since it began; None when the database does not say."""
    if not database.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2.0)) as connection:
            row = connection.execute(_TOTALS, (session_id,)).fetchone()
    except sqlite3.Error:
        return None
    return dict(zip(_NAMES, row, strict=True)) if row and None not in row else None
