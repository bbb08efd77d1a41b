"""Claude Code (https://code.claude.com), driven through its adapter `claude-agent-acp`.

The adapter is npm's @agentclientprotocol/claude-agent-acp, which brings a Claude Code of its own along.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codetether_worker.agents.base import Assignment
from codetether_worker.agents.cli_lines import read_claude
from codetether_worker.agents.launch import (
    AgentKind,
    CliKind,
    CliLaunch,
    Launch,
    Quirks,
    Update,
    bare_model,
    home_folder,
    inherited_environment,
)

# Its mode `default` asks before it writes; who answers, a person or the codebase's rule, is decided here.
MODES = {"build": "default", "general": "default", "plan": "plan", "explore": "plan"}
WRITING_TOOLS = ("Bash", "Edit", "MultiEdit", "NotebookEdit", "Write")
_ALIASES = ("opus", "sonnet", "haiku")
_QUIET = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
_KEYS = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
)  # fmt: skip
# Its settings, unlike its notes, could run commands and grant permissions.
_NOTES = "If the working folder has a CLAUDE.md, read it first: it says how its people want to work."


def _has_login(environment: Mapping[str, str]) -> bool:
    named = environment.get("CLAUDE_CONFIG_DIR")
    folder = Path(named) if named else home_folder(environment) / ".claude"
    return any(environment.get(key) for key in _KEYS) or (folder / ".credentials.json").is_file()


def claude_models(environment: Mapping[str, str]) -> tuple[str, ...]:
    """ANTHROPIC_MODEL, and the names that stand for the newest of each kind."""
    if not _has_login(environment):
        return ()
    chosen = environment.get("ANTHROPIC_MODEL")
    return tuple(f"anthropic/{name}" for name in dict.fromkeys((*((chosen,) if chosen else ()), *_ALIASES)))


def claude_environment(base: Mapping[str, str], assignment: Assignment) -> dict[str, str]:
    """`base` without the worker's secrets, with quiet defaults and the task's model, whether its menu has it or not."""
    chosen = bare_model(assignment.model) if assignment.model else None
    model = {"ANTHROPIC_MODEL": chosen, "ANTHROPIC_CUSTOM_MODEL_OPTION": chosen} if chosen else {}
    return _QUIET | inherited_environment(base) | model


def _options(assignment: Assignment) -> dict[str, Any]:
    """What the adapter hands on to Claude Code. A repository that is worked on may not configure the program."""
    options: dict[str, Any] = {"settingSources": ["user"]}
    if assignment.reads_only:
        options["disallowedTools"] = list(WRITING_TOOLS)
    if assignment.max_steps:
        options["maxTurns"] = assignment.max_steps
    return options


def launch_claude(program: Path, base: Mapping[str, str], assignment: Assignment) -> Launch:
    mode = MODES.get(assignment.agent_type, assignment.agent_type or None)
    meta = {"claudeCode": {"options": _options(assignment)}, "systemPrompt": {"append": _NOTES}}
    return Launch("claude", (str(program),), claude_environment(base, assignment), mode, meta=meta, quirks=_QUIRKS)


def _normalised(update: Update) -> Update:
    """Its titles say what a call does; what the tool is called stands apart."""
    meta = update.get("_meta")
    told = meta.get("claudeCode") if isinstance(meta, Mapping) else None
    tool = told.get("toolName") if isinstance(told, Mapping) else None
    return {**update, "toolName": tool} if isinstance(tool, str) else update


def launch_claude_cli(program: Path, base: Mapping[str, str], assignment: Assignment) -> CliLaunch:
    """`claude -p`. Without an adapter nobody can be asked, so it is either kept from writing or not asked at all."""
    flags = ["-p", "--output-format", "stream-json", "--verbose", "--setting-sources", "user"]
    flags += ["--append-system-prompt", _NOTES]
    environment = claude_environment(base, assignment)
    if assignment.reads_only:
        flags += ["--permission-mode", "plan", "--disallowed-tools", ",".join(WRITING_TOOLS)]
    else:
        flags += ["--permission-mode", "bypassPermissions"]
        environment["IS_SANDBOX"] = "1"  # else it refuses that mode to root

    def command(session_id: str | None, forks: bool) -> tuple[str, ...]:
        resumed = ("--resume", session_id) if session_id else ()
        return (str(program), *flags, *resumed, *(("--fork-session",) if forks else ()))

    return CliLaunch("claude", command, environment, read_claude)


_QUIRKS = Quirks(normalised=_normalised, counts_cost_anew=True)
CLAUDE = AgentKind(
    "claude",
    "claude-agent-acp",
    "CLAUDE_ACP_BIN",
    lambda config: config.programs.claude_acp,
    claude_models,
    launch_claude,
    CliKind("claude", "CLAUDE_BIN", lambda config: config.programs.claude, "CLAUDE_CODE_EXECUTABLE", launch_claude_cli),
)
