"""The real OpenCode program from npm, and an environment in which it talks to nobody but a scripted model.

Installed once into the repository's ignored `.cache/`; the package holds the binary, so no install script runs.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from tests.fakes.model_server import API_KEY, MODEL

VERSION = "1.18.33"
SKIP_VARIABLE = "CODETETHER_SKIP_AGENT_TESTS"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "agents"
MODEL_ID = f"fake/{MODEL}"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class NotInstallable(AssertionError):
    """OpenCode cannot be had here; the tests that need it fail and say so."""


def opencode_program() -> Path:
    """The installed program; installs it when it is missing. Raises NotInstallable."""
    package = f"opencode-{platform.system().lower()}-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"
    folder = CACHE / f"opencode-{VERSION}"
    program = folder / "node_modules" / package / "bin" / "opencode"
    with _install_lock():
        if not program.is_file():
            _npm_install(folder, f"{package}@{VERSION}")
    if not program.is_file():
        raise NotInstallable(f"{package}@{VERSION} holds no bin/opencode")
    return program


def ripgrep_folder() -> Path | None:
    """A folder with `rg`, which OpenCode would download otherwise; None when the machine has none.

    Only its grep, glob and list tools need it, so a machine without one can run everything else.
    """
    found = shutil.which("rg")
    return Path(found).parent if found else None


def _npm_install(folder: Path, package: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstallable(f"npm is needed to install {package}; set {SKIP_VARIABLE}=1 to do without")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", ".", package]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise NotInstallable(f"npm could not install {package}: {done.stderr[-800:]}")


@contextmanager
def _install_lock() -> Iterator[None]:
    """Test processes run in parallel; one of them installs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "install.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


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
