"""The real Claude Code behind its adapter, and an environment in which it talks to nobody but a scripted model."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fakes.agent_programs import installed_folder
from tests.fakes.model_server import API_KEY

MODEL_ID = "anthropic/claude-sonnet-4-5"


def claude_adapter() -> Path:
    """The installed adapter; installs it, with the program, when it is missing. Raises NotInstallable."""
    return installed_folder("claude") / "node_modules" / ".bin" / "claude-agent-acp"


def claude_program() -> Path:
    """Claude Code itself, as the adapter brings it along."""
    sdk = installed_folder("claude") / "node_modules" / "@anthropic-ai"
    return next(sdk.glob("claude-agent-sdk-*/claude"))


def claude_environment(home: Path, model_url: str) -> dict[str, str]:
    """`model_url` is the root of the scripted model's server."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "CLAUDE_ACP_BIN": str(claude_adapter()),
        "ANTHROPIC_API_KEY": API_KEY,
        "ANTHROPIC_BASE_URL": model_url,
        "ANTHROPIC_MODEL": MODEL_ID.partition("/")[2],
        "CLAUDE_CODE_MAX_RETRIES": "1",  # a refused key would be tried for minutes
        "A2A_WORKER_AGENT": "claude",
    }
