"""The agent programs, besides OpenCode, that a worker knows how to drive; the first that can serve a task is taken."""

from codetether_worker.agents.claude import CLAUDE
from codetether_worker.agents.codex import CODEX
from codetether_worker.agents.configured import configured_kind
from codetether_worker.agents.gemini import GEMINI
from codetether_worker.agents.launch import AgentKind
from codetether_worker.config import Config

_KNOWN: tuple[AgentKind, ...] = (CLAUDE, CODEX, GEMINI)


def kinds_of(config: Config) -> tuple[AgentKind, ...]:
    """Those that are known, then those that the worker's settings describe."""
    return (*_KNOWN, *map(configured_kind, config.acp_agents))
