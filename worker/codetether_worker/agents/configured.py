"""A program that a setting describes, driven like the known ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codetether_worker.acp_agents import AcpAgentSpec
from codetether_worker.agents.base import Assignment
from codetether_worker.agents.launch import AgentKind, Launch, inherited_environment
from codetether_worker.errors import AgentError


def configured_kind(spec: AcpAgentSpec) -> AgentKind:
    program = spec.command[0]

    def launch(found: Path, base: Mapping[str, str], assignment: Assignment) -> Launch:
        """Nothing is known of its modes: where none is named for reading only, it would not be kept from writing."""
        mode = spec.modes.get(assignment.agent_type)
        if mode is None and assignment.reads_only:
            why = f"no mode of {spec.name} for {assignment.agent_type} is named in the worker's settings"
            raise AgentError(why, code="mode_unavailable")
        environment = {**inherited_environment(base), **spec.env}
        return Launch(spec.name, (str(found), *spec.command[1:]), environment, mode, assignment.model)

    return AgentKind(
        spec.name, program, f"A2A_ACP_AGENTS: {spec.name}", lambda _: program, lambda _: spec.models, launch
    )
