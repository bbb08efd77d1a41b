"""Start, find and stop the embedded PostgreSQL and Valkey of one data folder."""

import os
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from codetether.embedded import identity as identities
from codetether.embedded import ports, postgres, valkey
from codetether.embedded.errors import EmbeddedError
from codetether.embedded.processes import Part
from codetether.embedded.state import Addresses, Lock, Secrets

READY_TIMEOUT = 60.0  # seconds; crash recovery on a slow disk takes its time
LOCK_PATIENCE = 0.5  # seconds; others hold the lock for an instant to see whether it is free
BOTH = frozenset({"postgres", "valkey"})
IN_ORDER = ("postgres", "valkey")


@dataclass(frozen=True)
class Owned:
    """Servers that this process started, and its right to run them."""

    data_dir: Path
    parts: Sequence[Part]
    lock: Lock

    def addresses(self) -> Addresses:
        urls = {part.key: part.url for part in self.parts}
        pids = {part.key: part.server.pid for part in self.parts}
        return Addresses(urls.get("postgres", ""), urls.get("valkey", ""), {"owner": os.getpid(), **pids})

    def start(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        for part in self.parts:
            part.server.start()
        for part in self.parts:
            part.wait_until_ready(deadline)
        self.addresses().save(self.data_dir)

    def stop(self, timeout: float) -> None:
        Addresses.remove(self.data_dir)
        for part in reversed(self.parts):
            part.server.stop(timeout)


class Services:
    """The running servers: their URLs (empty for one that was not asked for), and the way to stop them.

    ``stop`` does nothing when the servers belong to another process (``is_owned`` is False).
    """

    def __init__(self, addresses: Addresses, owned: Owned | None = None) -> None:
        self.database_url = addresses.database_url
        self.redis_url = addresses.redis_url
        self._owned = owned

    @property
    def is_owned(self) -> bool:
        return self._owned is not None

    def stop(self, timeout: float = 10) -> None:
        """End the servers cleanly (Valkey, then PostgreSQL), each killed after ``timeout`` seconds."""
        if self._owned is None:
            return
        owned, self._owned = self._owned, None
        try:
            owned.stop(timeout)
        finally:
            owned.lock.release()

    def restart_dead(self) -> Sequence[str]:
        """Start again, at the same address, what ended by itself; returns their names.

        Does not wait for them to be ready: clients have to reconnect anyway. Call it from the main thread.
        """
        if self._owned is None:
            return ()
        dead = [part.server for part in self._owned.parts if part.server.exit_code is not None]
        for server in dead:
            server.start()
        if dead:
            self._owned.addresses().save(self._owned.data_dir)
        return [server.name for server in dead]


def start(data_dir: Path, *, durable: bool = True, reuse: bool = True, needs: Set[str] = BOTH) -> Services:
    """Start the servers that ``needs`` names, with their data below ``data_dir``, and wait until they answer.

    With ``reuse``, servers that another living process runs in this folder are used (and left alone by
    ``stop``); without it that is an error. ``durable=False`` is for tests: fast, and lost in a crash.
    Call it from a thread that outlives the servers, in practice the main one: the kernel ends them with it.
    Raises EmbeddedError, with one line, whenever they cannot run.
    """
    if not needs:
        return Services(Addresses("", "", {}))
    data_dir = data_dir.absolute()
    try:
        _make(data_dir)
        lock = Lock(data_dir / "embedded.lock")
        if _acquire(lock):
            return _start_owned(data_dir, lock, needs, durable=durable)
    except OSError as error:
        raise EmbeddedError(f"The data folder {data_dir} cannot be used: {error}") from error
    if not reuse:
        raise EmbeddedError(f"The embedded servers of {data_dir} already run, started by {_owner(data_dir)}.")
    return _join(data_dir, lock, needs)


def find(data_dir: Path) -> Services | None:
    """The embedded servers that a living process runs in ``data_dir``; None when there are none."""
    data_dir = data_dir.absolute()
    if not Lock(data_dir / "embedded.lock").is_held():
        return None
    addresses = Addresses.load(data_dir)
    return None if addresses is None else Services(addresses)


def _make(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It often lies in a repository that agents commit to: none of it must ever get in.
    (data_dir / ".gitignore").write_text("*\n")
    if os.geteuid() == 0:
        # The servers run as another user: let it pass through. What is secret is closed by itself.
        data_dir.chmod(0o711)


def _acquire(lock: Lock) -> bool:
    deadline = time.monotonic() + LOCK_PATIENCE
    while not lock.acquire():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _start_owned(data_dir: Path, lock: Lock, needs: Set[str], *, durable: bool) -> Services:
    try:
        owned = Owned(data_dir, _prepare(data_dir, needs, durable=durable), lock)
        try:
            owned.start()
        except BaseException:
            owned.stop(timeout=5)
            raise
    except BaseException:
        lock.release()
        raise
    return Services(owned.addresses(), owned)


def _prepare(data_dir: Path, needs: Set[str], *, durable: bool) -> list[Part]:
    postgres.end_orphan(data_dir)
    valkey.end_orphan(Addresses.load(data_dir))
    Addresses.remove(data_dir)
    identity = identities.choose(data_dir, postgres.program())
    secrets = Secrets.load(data_dir)
    if "postgres" in needs:
        secrets = postgres.prepare_folder(data_dir, identity, secrets, durable=durable)
    if "valkey" in needs:
        valkey.prepare_folder(data_dir, identity)
    secrets = secrets or Secrets()
    # The last ports again, where they are free: addresses that people noted down stay true.
    secrets.postgres_port = ports.choose(secrets.postgres_port)
    secrets.valkey_port = ports.choose(secrets.valkey_port)
    secrets.save(data_dir)
    makers = {"postgres": postgres.part, "valkey": valkey.part}
    return [makers[key](data_dir, identity, secrets, durable=durable) for key in IN_ORDER if key in needs]


def _join(data_dir: Path, lock: Lock, needs: Set[str]) -> Services:
    """Wait until the process that has the lock has published its addresses."""
    deadline = time.monotonic() + READY_TIMEOUT
    while lock.is_held():
        addresses = Addresses.load(data_dir)
        if addresses is not None and not needs <= addresses.pids.keys():
            raise EmbeddedError(
                f"{_owner(data_dir).capitalize()} runs some of the embedded servers of {data_dir}, not all "
                "that this needs; stop it first."
            )
        if addresses is not None:
            return Services(addresses)
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    raise EmbeddedError(f"The embedded servers of {data_dir} belong to another process that does not get ready.")


def _owner(data_dir: Path) -> str:
    addresses = Addresses.load(data_dir)
    pid = None if addresses is None else addresses.pids.get("owner")
    return f"process {pid}" if pid else "another process"
