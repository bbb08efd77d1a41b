"""The agent programs of this machine by name. A new program is one new file and one new line here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from pkgutil import resolve_name

from codetether_worker.agents.base import AgentProgram, AgentSession, Assignment
from codetether_worker.agents.builtin import BuiltinSession
from codetether_worker.agents.conformance import ConformanceSession
from codetether_worker.agents.kinds import kinds_of
from codetether_worker.agents.launch import AgentKind, CliKind, CliLaunch, Launch
from codetether_worker.config import Config
from codetether_worker.discovery import CONFORMANCE, Installed, Inventory

# Named, not imported: the protocol library takes half a second, which a worker without agents need not spend.
_OPENCODE = "codetether_worker.agents.opencode:OpenCode"
_SESSION = "codetether_worker.agents.acp_session:AcpSession"
_CLI_SESSION = "codetether_worker.agents.cli_session:CliSession"


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


class AcpProgram:
    """A program of a kind that needs nothing but the protocol."""

    def __init__(self, kind: AgentKind, program: Path, environment: Mapping[str, str]) -> None:
        self.name = kind.name
        self._kind = kind
        self._program = program
        self._environment = environment
        self._session: Callable[[Assignment, Launch], AgentSession] = resolve_name(_SESSION)

    def open(self, assignment: Assignment) -> AgentSession:
        return self._session(
            assignment, self._kind.launch(self._program, {**self._environment, **assignment.environment}, assignment)
        )


class CliProgram:
    """A program of such a kind whose adapter is missing."""

    def __init__(self, kind: CliKind, installed: Installed, environment: Mapping[str, str]) -> None:
        self.name = installed.name
        self._kind = kind
        self._program = installed.program
        self._environment = environment
        self._session: Callable[[Assignment, CliLaunch], AgentSession] = resolve_name(_CLI_SESSION)

    def open(self, assignment: Assignment) -> AgentSession:
        return self._session(
            assignment, self._kind.launch(self._program, {**self._environment, **assignment.environment}, assignment)
        )


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
            self._loaded[name] = await asyncio.to_thread(self._load, name)
        return self._loaded[name].open(assignment)

    def _load(self, name: str) -> AgentProgram:
        installed = self._inventory.find(name)
        if installed is None:
            raise LookupError(f"{name} is not in the inventory")
        for kind in kinds_of(self._config):
            if kind.name == name and kind.cli and installed.by_line:
                return CliProgram(kind.cli, installed, self._config.environment)
            if kind.name == name:
                return AcpProgram(kind, installed.program, self._environment_for(kind))
        make: Callable[..., AgentProgram] = resolve_name(_OPENCODE)
        return make(installed.program, self._config.environment)

    def _environment_for(self, kind: AgentKind) -> Mapping[str, str]:
        """The worker's own; an adapter is told which program to run in place of the one that it brings along."""
        named = kind.cli.named(self._config) if kind.cli else None
        handed = {kind.cli.handed_as: named} if kind.cli and named else {}
        return {**self._config.environment, **handed}
