"""The agent programs of this machine by name. A new program is one new file and one new line here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from codetether_worker.agents.base import AgentProgram, AgentSession, Assignment
from codetether_worker.agents.builtin import BuiltinSession
from codetether_worker.agents.conformance import ConformanceSession
from codetether_worker.config import Config
from codetether_worker.discovery import CONFORMANCE, Inventory

# Named, not imported: the protocol library takes half a second, which a worker without agents need not spend.
_OPENCODE = "codetether_worker.agents.opencode:OpenCode"


class Builtin:
    """The agent that is always there."""

    name = "builtin"

    def open(self, assignment: Assignment) -> AgentSession:
        return BuiltinSession(assignment)


class Conformance:
    """The agent of the test kits; the inventory has it only where a setting says so."""

    name = CONFORMANCE

    def open(self, assignment: Assignment) -> AgentSession:
        return ConformanceSession(assignment)


class Programs:
    """Opens sessions of the programs that the inventory has found; each is loaded at its first use."""

    def __init__(self, config: Config, inventory: Inventory) -> None:
        self._config = config
        self._inventory = inventory
        self._loaded: dict[str, AgentProgram] = {"builtin": Builtin(), CONFORMANCE: Conformance()}

    async def open(self, name: str, assignment: Assignment) -> AgentSession:
        """`name` is one of the inventory's capabilities."""
        if name not in self._loaded:
            # In a thread: heartbeats go on meanwhile.
            self._loaded[name] = await asyncio.to_thread(self._load_opencode, self._inventory.opencode)
        return self._loaded[name].open(assignment)

    def _load_opencode(self, program: Path | None) -> AgentProgram:
        if program is None:
            raise LookupError("opencode is not in the inventory")
        make: Callable[..., AgentProgram] = resolve_name(_OPENCODE)
        return make(program, self._config.environment)
