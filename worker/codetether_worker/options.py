"""Every option of the worker, once: its flag, its variable, its key in the file and its default.

The command line is made of this table, `config` reads by it, and tests hold the documentation against it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FILE = Path("/etc/a2a-worker/config.json")


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `key` names it in the file and, with dashes, as a flag; so only the variable is a name of its own.

    `metavar` is None for a switch, which needs no value. `default` is None where the default is found at the start
    or nothing; numbers are seconds where the name does not say otherwise.
    """

    key: str
    variable: str
    help: str
    metavar: str | None = None
    default: str | int | float | None = None
    short: str | None = None
    old_key: str | None = None
    repeatable: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.key.replace("_", "-")

    @property
    def flags(self) -> tuple[str, ...]:
        return (self.flag, self.short) if self.short else (self.flag,)

    @property
    def keys(self) -> tuple[str, ...]:
        """What the option may be called in the file; the newer name first."""
        return (self.key, self.old_key) if self.old_key else (self.key,)

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        if self.metavar is None:
            parser.add_argument(*self.flags, dest=self.key, action="store_true", help=self.help)
        else:
            action = "append" if self.repeatable else "store"
            parser.add_argument(*self.flags, dest=self.key, action=action, metavar=self.metavar, help=self._help)

    @property
    def _help(self) -> str:
        return self.help if self.default is None else f"{self.help} (default: {self.default:{self._form}})"

    @property
    def _form(self) -> str:
        return "g" if isinstance(self.default, float) else ""


_ALL = (
    Option(
        "server_url", "A2A_SERVER_URL", "address of the control plane", "URL", "http://localhost:8000",
        short="--server",
    ),
    Option("token_file", "A2A_TOKEN_FILE", "file that holds the access token", "FILE"),
    Option(
        "name", "A2A_WORKER_NAME", "how people will know this worker (default: the host name)", "NAME",
        old_key="worker_name",
    ),
    Option("worker_id", "A2A_WORKER_ID", "identity towards the server (default: made once, then kept)", "ID"),
    Option("codebases", "A2A_CODEBASES", "folders to offer, separated by commas", "PATH[,PATH]"),
    Option("codebase", "A2A_CODEBASE", "one folder to offer; may be repeated", "[NAME:]PATH", repeatable=True),
    Option("agent_name", "A2A_AGENT_NAME", "role under which others find this worker's agent", "ROLE"),
    Option("agent_description", "A2A_AGENT_DESCRIPTION", "what that agent is good for", "TEXT"),
    Option(
        "no_agent_registration", "A2A_WORKER_NO_AGENT_REGISTRATION", "do not appear among the discoverable agents"
    ),
    Option("concurrency", "A2A_WORKER_CONCURRENCY", "tasks at once", "N", 2),
    Option("state_dir", "A2A_WORKER_STATE_DIR", "where identity and undelivered events are kept", "DIR"),
    Option(
        "poll_interval", "A2A_POLL_INTERVAL", "how often to ask for work while the stream is down", "SECONDS", 5.0
    ),
    Option("drain_grace", "A2A_WORKER_DRAIN_GRACE", "how long tasks may go on after SIGTERM", "SECONDS", 10.0),
    Option("idle_limit", "A2A_WORKER_IDLE_LIMIT", "silence after which an agent is given up", "SECONDS", 900.0),
    Option("question_limit", "A2A_WORKER_QUESTION_LIMIT",
           "how long an agent waits for a person before its place is freed; 0 waits for ever", "SECONDS", 900.0),
    Option("output_limit", "A2A_WORKER_OUTPUT_LIMIT", "what an attempt may report, in megabytes", "MB", 200),
    Option("max_minutes", "A2A_WORKER_MAX_MINUTES", "how long an attempt may take; 0 sets no limit", "MINUTES", 0.0),
    Option("max_cost_usd", "A2A_WORKER_MAX_COST_USD", "what an attempt may cost; 0 sets no limit", "USD", 0.0),
    Option("max_tokens", "A2A_WORKER_MAX_TOKENS", "tokens that an attempt may use; 0 sets no limit", "N", 0),
    Option("stop_grace", "A2A_WORKER_STOP_GRACE", "from asking an agent to stop until it is killed", "SECONDS", 5.0),
    Option(
        "session_sync_interval", "A2A_SESSION_SYNC_INTERVAL", "how often to look for changed sessions; 0 never does",
        "SECONDS", 60.0,
    ),
    Option(
        "session_sync_max_sessions", "A2A_SESSION_MESSAGE_SYNC_MAX_SESSIONS", "sessions of a store that are synced",
        "N", 500,
    ),
    Option(
        "session_sync_max_messages", "A2A_SESSION_MESSAGE_SYNC_MAX_MESSAGES", "messages of a session that are synced",
        "N", 2000,
    ),
    Option("opencode_storage", "A2A_OPENCODE_STORAGE_PATH", "where OpenCode keeps sessions besides its usual place",
           "PATH"),
    Option("opencode_bin", "OPENCODE_BIN", "the OpenCode program (default: opencode on the PATH)", "PROGRAM"),
    Option("gemini_bin", "GEMINI_BIN", "the Gemini CLI program (default: gemini on the PATH)", "PROGRAM"),
    Option("claude_acp_bin", "CLAUDE_ACP_BIN", "the adapter of Claude Code (default: claude-agent-acp on the PATH)",
           "PROGRAM"),
    Option("claude_bin", "CLAUDE_BIN", "Claude Code itself (default: the adapter's own, else claude on the PATH)",
           "PROGRAM"),
    Option("codex_bin", "CODEX_BIN", "Codex itself (default: the adapter's own, else codex on the PATH)", "PROGRAM"),
    Option("codex_acp_bin", "CODEX_ACP_BIN", "the adapter of Codex (default: codex-acp on the PATH)", "PROGRAM"),
    Option("acp_agents", "A2A_ACP_AGENTS", "further agent programs that speak the Agent Client Protocol, by name",
           "JSON"),
    Option("agent", "A2A_WORKER_AGENT", "agent program to take before the others", "NAME"),
    Option("conformance", "A2A_CONFORMANCE", "be the agent of test kits; never where real work is done"),
    Option("log_level", "A2A_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "LEVEL", "INFO"),
)  # fmt: skip

OPTIONS = {option.key: option for option in _ALL}
"""By key. What says where to read from (`--config`, `--env-file`) is not among them."""
