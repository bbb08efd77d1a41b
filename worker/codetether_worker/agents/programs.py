"""The agent programs of this machine by name. A new program is one new file and one new line here."""

from __future__ import annotations

from codetether_worker.agents.base import AgentProgram, AgentSession, Assignment
from codetether_worker.agents.builtin import BuiltinSession
from codetether_worker.agents.opencode import OpenCode
from codetether_worker.config import Config
from codetether_worker.discovery import Inventory


class Builtin:
    """The agent that is always there."""

    name = "builtin"

    def open(self, assignment: Assignment) -> AgentSession:
        has_codebase = assignment.workdir != assignment.scratch
        return BuiltinSession(assignment, has_codebase=has_codebase)


def open_programs(config: Config, inventory: Inventory) -> dict[str, AgentProgram]:
    """Every program of the inventory, ready to open sessions."""
    programs: dict[str, AgentProgram] = {"builtin": Builtin()}
    if inventory.opencode is not None:
        programs["opencode"] = OpenCode(inventory.opencode, config.environment)
    return programs
