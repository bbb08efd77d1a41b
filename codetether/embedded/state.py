"""The files beside the embedded servers' data: one lock, one set of secrets, one note of what is running.

- ``embedded.lock``  held (flock) by the process that owns the servers; the kernel drops it when that ends.
- ``embedded.json``  passwords and ports, kept between runs; 0600.
- ``services.json``  the URLs while the servers run, for the other commands on this machine; 0600.
"""

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from codetether.embedded.errors import EmbeddedError


def write_private_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace ``path`` (0600) in one step: a reader sees the old file or the new one, never half of one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in ``path``; None when there is no such file or it is not one JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


class Lock:
    """A file that at most one living process holds; a killed one's lock is free by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock, or return False at once because a living process has it."""
        return self._lock(fcntl.LOCK_EX)

    def is_held(self) -> bool:
        """Whether a living process has the lock."""
        if not self._path.exists():
            return False
        free = self._lock(fcntl.LOCK_SH)
        self.release()
        return not free

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self, kind: int) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True


def _password() -> str:
    return secrets.token_hex(24)


@dataclass
class Secrets:
    """Passwords and last ports (0: none yet) of one data folder's servers."""

    superuser_password: str = field(default_factory=_password)
    database_password: str = field(default_factory=_password)
    valkey_password: str = field(default_factory=_password)
    postgres_port: int = 0
    valkey_port: int = 0

    @classmethod
    def load(cls, data_dir: Path) -> Self | None:
        """The saved ones; None when there are none or the file is not whole."""
        value = read_json(data_dir / "embedded.json")
        if value is None:
            return None
        with contextlib.suppress(TypeError):
            return cls(**value)
        return None

    def save(self, data_dir: Path) -> None:
        write_private_json(data_dir / "embedded.json", asdict(self))


@dataclass(frozen=True)
class Addresses:
    """Where the running servers are, and which processes they are."""

    database_url: str
    redis_url: str
    pids: Mapping[str, int]

    @classmethod
    def load(cls, data_dir: Path) -> Self | None:
        value = read_json(data_dir / "services.json")
        if value is None:
            return None
        try:
            return cls(str(value["database_url"]), str(value["redis_url"]), dict(value["pids"]))
        except (KeyError, TypeError, ValueError) as error:
            raise EmbeddedError(f"{data_dir / 'services.json'} is damaged: {error!r}; remove it.") from error

    def save(self, data_dir: Path) -> None:
        write_private_json(data_dir / "services.json", asdict(self))

    @staticmethod
    def remove(data_dir: Path) -> None:
        (data_dir / "services.json").unlink(missing_ok=True)
