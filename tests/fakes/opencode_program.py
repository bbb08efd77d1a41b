"""The real OpenCode program from npm, and an environment in which it talks to nobody but a scripted model.

Installed once into the repository's ignored `.cache/`; the package holds the binary, so no install script runs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.agent_programs import CACHE, SKIP_VARIABLE, NotInstallable, install_lock, run_npm
from tests.fakes.model_server import API_KEY, MODEL

__all__ = ["MODEL_ID", "SKIP_VARIABLE", "VERSION", "NotInstallable", "opencode_environment", "opencode_program"]

VERSION = "1.18.33"
MODEL_ID = f"fake/{MODEL}"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def opencode_program() -> Path:
    """The installed program; installs it when it is missing. Raises NotInstallable."""
    package = f"opencode-{platform.system().lower()}-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"
    folder = CACHE / f"opencode-{VERSION}"
    program = folder / "node_modules" / package / "bin" / "opencode"
    with install_lock():
        if not program.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            run_npm(folder, ["install", "--no-save", "--prefix", ".", f"{package}@{VERSION}"], f"{package}@{VERSION}")
    if not program.is_file():
        raise NotInstallable(f"{package}@{VERSION} holds no bin/opencode")
    return program


def ripgrep_folder() -> Path | None:
    """A folder with `rg`, which OpenCode would download otherwise; None when the machine has none.

    Only its grep, glob and list tools need it, so a machine without one can run everything else.
    """
    found = shutil.which("rg")
    return Path(found).parent if found else None


def opencode_environment(
    home: Path, model_url: str, *, api_key: str = API_KEY, config: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """HOME and OPENCODE_* for a private, offline OpenCode whose only provider is the scripted model."""
    _prepare_config_folder(home / ".config" / "opencode")
    catalogue = home / "models.json"
    catalogue.write_text("{}")  # the bundled one costs over a second of CPU at each start
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Fake",
        "options": {"baseURL": model_url, "apiKey": api_key},
        "models": {
            MODEL: {
                "name": "Fake One",
                "tool_call": True,
                "reasoning": True,
                "limit": {"context": 128_000, "output": 8_192},
                "cost": {"input": 3, "output": 15, "cache_read": 1},
            }
        },
    }
    settings = {
        "autoupdate": False,
        "share": "disabled",
        "model": MODEL_ID,
        "small_model": MODEL_ID,
        "enabled_providers": ["fake"],
        "provider": {"fake": provider},
        **(config or {}),
    }
    rg = ripgrep_folder()
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(filter(None, [str(rg) if rg else "", os.environ["PATH"]])),
        "OPENCODE_BIN": str(opencode_program()),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_MODELS_PATH": str(catalogue),
        "OPENCODE_CONFIG_CONTENT": json.dumps(settings),
    }


def _prepare_config_folder(folder: Path) -> None:
    """OpenCode would install its plugin package here over the network; let it find one that needs nothing."""
    wanted = {"@opencode-ai/plugin": VERSION}
    (folder / "node_modules").mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"dependencies": wanted}))
    lock = {"lockfileVersion": 3, "packages": {"": {"dependencies": wanted}}}
    (folder / "package-lock.json").write_text(json.dumps(lock))
