"""OpenCode (https://opencode.ai), driven by `opencode acp`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from codetether_sessions.stores import data_folder
from codetether_worker.agents.acp_session import AcpSession
from codetether_worker.agents.base import AgentSession, Assignment, Turn
from codetether_worker.agents.launch import Launch
from codetether_worker.agents.opencode_environment import opencode_environment

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


class OpenCode:
    """The program on this machine; `environment` is the worker's own."""

    name = "opencode"

    def __init__(self, program: Path, environment: Mapping[str, str]) -> None:
        self._program = program
        self._environment = environment

    def open(self, assignment: Assignment) -> AgentSession:
        environment = opencode_environment(
            self._environment,
            asks_first=not assignment.auto_approves,
            reads_only=assignment.reads_only,
            max_steps=assignment.max_steps,
        )
        mode = _MODES.get(assignment.agent_type, assignment.agent_type or None)
        launch = Launch(self.name, (str(self._program), "acp"), environment, mode, assignment.model)
        return OpenCodeSession(assignment, launch)


class OpenCodeSession(AcpSession):
    """Counts tokens and cost from OpenCode's own database: the protocol tells only the last model call's."""

    def __init__(self, assignment: Assignment, launch: Launch) -> None:
        super().__init__(assignment, launch)
        self._model = assignment.model
        self._database = data_folder(launch.environment) / "opencode.db"
        self._before: dict[str, float] = {}
        self._totals: dict[str, float] | None = None

    async def start(self) -> str | None:
        session_id = await super().start()
        before = await asyncio.to_thread(read_totals, self._database, self.session_id)
        self._before = before or {}
        return session_id

    async def prompt(self, text: str) -> Turn:
        turn = await super().prompt(text)
        self._totals = await asyncio.to_thread(read_totals, self._database, self.session_id)
        return turn

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
