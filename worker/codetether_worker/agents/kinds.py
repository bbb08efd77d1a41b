"""The agent programs, besides OpenCode, that a worker knows how to drive; the first that can serve a task is taken."""

from codetether_worker.agents.claude import CLAUDE
from codetether_worker.agents.codex import CODEX
from codetether_worker.agents.gemini import GEMINI
from codetether_worker.agents.launch import AgentKind

KINDS: tuple[AgentKind, ...] = (CLAUDE, CODEX, GEMINI)
