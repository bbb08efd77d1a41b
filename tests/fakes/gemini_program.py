"""The real Gemini CLI, and an environment in which it talks to nobody but a scripted model."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fakes.agent_programs import installed_folder
from tests.fakes.model_server import API_KEY
from tests.fakes.opencode_program import ripgrep_folder

MODEL_ID = "google/gemini-2.5-flash"


def gemini_program() -> Path:
    """The installed program; installs it when it is missing. Raises NotInstallable."""
    return installed_folder("gemini") / "node_modules" / ".bin" / "gemini"


def gemini_environment(home: Path, model_url: str) -> dict[str, str]:
    """`model_url` is the root of the scripted model's server."""
    rg = ripgrep_folder()
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(filter(None, [str(rg) if rg else "", os.environ["PATH"]])),
        "GEMINI_BIN": str(gemini_program()),
        "GEMINI_API_KEY": API_KEY,
        "GOOGLE_GEMINI_BASE_URL": model_url,
        "A2A_WORKER_AGENT": "gemini",
    }
