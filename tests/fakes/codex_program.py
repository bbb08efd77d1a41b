"""The real Codex behind its adapter, and an environment in which it talks to nobody but a scripted model."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fakes.agent_programs import installed_folder
from tests.fakes.model_server import API_KEY

MODEL_ID = "openai/gpt-5.5"  # one that it knows: for others it offers no apply_patch
_SETTINGS = 'model = "gpt-5.5"\n[features]\nplugins = false\napps = false\n'  # nothing is fetched


def codex_adapter() -> Path:
    """The installed adapter; installs it, with the program, when it is missing. Raises NotInstallable."""
    return installed_folder("codex") / "node_modules" / ".bin" / "codex-acp"


def codex_program() -> Path:
    """Codex itself, as the adapter brings it along."""
    return installed_folder("codex") / "node_modules" / ".bin" / "codex"


def codex_environment(home: Path, model_url: str) -> dict[str, str]:
    """`model_url` is the root of the scripted model's server."""
    settings = home / ".codex" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(_SETTINGS)
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "CODEX_ACP_BIN": str(codex_adapter()),
        "OPENAI_API_KEY": API_KEY,
        "OPENAI_BASE_URL": f"{model_url}/v1",
        "A2A_WORKER_AGENT": "codex",
    }
