"""Real agent programs from npm, as tests/programs/NAME/package-lock.json pins them.

Installed once into the repository's ignored `.cache/`; no package may run a script.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "agents"
SKIP_VARIABLE = "CODETETHER_SKIP_AGENT_TESTS"
_LOCKED = ("package.json", "package-lock.json")


class NotInstallable(AssertionError):
    """The program cannot be had here; the tests that need it fail and say so."""


def installed_folder(name: str) -> Path:
    """The folder with the program's node_modules; installs it when it is missing. Raises NotInstallable."""
    source = ROOT / "tests" / "programs" / name
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / f"{name}-{digest}"
    complete = folder / ".complete"
    with install_lock():
        if not complete.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            for locked in _LOCKED:
                shutil.copyfile(source / locked, folder / locked)
            run_npm(folder, ["ci"], name)
            complete.touch()
    return folder


def run_npm(folder: Path, arguments: list[str], what: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstallable(f"npm is needed to install {what}; set {SKIP_VARIABLE}=1 to do without")
    command = [npm, *arguments, "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise NotInstallable(f"npm could not install {what}: {done.stderr[-800:]}")


@contextmanager
def install_lock() -> Iterator[None]:
    """Test processes run in parallel; one of them installs."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "install.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
