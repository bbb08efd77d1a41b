"""Start, find and stop the embedded PostgreSQL and Valkey of one data folder."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codetether.embedded import identity as identities
from codetether.embedded import ports, postgres, valkey
from codetether.embedded.errors import EmbeddedError
from codetether.embedded.processes import Server
from codetether.embedded.state import Addresses, Lock, Secrets

READY_TIMEOUT = 60.0  # seconds; crash recovery on a slow disk takes its time
LOCK_PATIENCE = 0.5  # seconds; others hold the lock for an instant to see whether it is free


@dataclass(frozen=True)
class Launch:
    """What is needed to start the servers, again too: where, as whom, with which secrets."""

    data_dir: Path
    secrets: Secrets
    postgres: Server
    valkey: Server
    durable: bool

    def start_valkey(self) -> None:
        self.valkey.start(valkey.configuration(self.data_dir, self.secrets, durable=self.durable))


class Services:
    """The running servers: their URLs, and the way to stop them.

    ``stop`` does nothing when the servers belong to another process (``owned`` is False).
    """

    def __init__(self, addresses: Addresses, launch: Launch | None = None, lock: Lock | None = None) -> None:
        self.database_url = addresses.database_url
        self.redis_url = addresses.redis_url
        self._launch = launch
        self._lock = lock

    @property
    def owned(self) -> bool:
        return self._launch is not None

    def stop(self, timeout: float = 10) -> None:
        """End the servers cleanly (Valkey, then PostgreSQL), each killed after ``timeout`` seconds."""
        if self._launch is None:
            return
        launch, self._launch = self._launch, None
        _stop(launch, timeout)
        if self._lock is not None:
            self._lock.release()

    def restart_dead(self) -> Sequence[str]:
        """Start again, at the same address, what ended by itself; returns their names.

        Does not wait for them to be ready: clients have to reconnect anyway. Call it from the main thread.
        """
        if self._launch is None:
            return ()
        dead = [server for server in (self._launch.postgres, self._launch.valkey) if server.exit_code is not None]
        for server in dead:
            self._launch.start_valkey() if server is self._launch.valkey else server.start()
        if dead:
            _addresses(self._launch).save(self._launch.data_dir)
        return [server.name for server in dead]


def start(data_dir: Path, *, durable: bool = True, reuse: bool = True) -> Services:
    """Start PostgreSQL and Valkey with their data below ``data_dir`` and wait until both answer.

    With ``reuse``, servers that another living process runs in this folder are used (and left alone by
    ``stop``); without it that is an error. ``durable=False`` is for tests: fast, and lost in a crash.
    Call it from a thread that outlives the servers, in practice the main one: the kernel ends them with it.
    Raises EmbeddedError, with one line, whenever they cannot run.
    """
    data_dir = data_dir.absolute()
    try:
        _make(data_dir)
        lock = Lock(data_dir)
        if _acquire(lock):
            return _start_owned(data_dir, lock, durable=durable)
    except OSError as error:
        raise EmbeddedError(f"The data folder {data_dir} cannot be used: {error}") from error
    if not reuse:
        raise EmbeddedError(f"The embedded servers of {data_dir} already run, started by {_owner(data_dir)}.")
    return _join(data_dir, lock)


def find(data_dir: Path) -> Services | None:
    """The embedded servers that a living process runs in ``data_dir``; None when there are none."""
    data_dir = data_dir.absolute()
    if not Lock(data_dir).is_held():
        return None
    addresses = Addresses.load(data_dir)
    return None if addresses is None else Services(addresses)


def _make(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _start_owned(data_dir: Path, lock: Lock, *, durable: bool) -> Services:
    try:
        launch = _prepare(data_dir, durable=durable)
        try:
            return _start_servers(launch, lock)
        except BaseException:
            _stop(launch, timeout=5)
            raise
    except BaseException:
        lock.release()
        raise


def _prepare(data_dir: Path, *, durable: bool) -> Launch:
    postgres.end_orphan(data_dir)
    valkey.end_orphan(Addresses.load(data_dir))
    Addresses.remove(data_dir)
    identity = identities.choose(data_dir, postgres.program())
    secrets = postgres.prepare_folder(data_dir, identity, durable=durable)
    valkey.prepare_folder(data_dir, identity)
    # The last ports again, where they are free: addresses that people noted down stay true.
    secrets.postgres_port = ports.choose(secrets.postgres_port)
    secrets.valkey_port = ports.choose(secrets.valkey_port)
    secrets.save(data_dir)
    return Launch(
        data_dir,
        secrets,
        postgres.server(data_dir, identity, secrets, durable=durable),
        valkey.server(data_dir, identity),
        durable,
    )


def _start_servers(launch: Launch, lock: Lock) -> Services:
    deadline = time.monotonic() + READY_TIMEOUT
    launch.postgres.start()
    launch.start_valkey()
    valkey.wait_until_ready(launch.valkey, launch.secrets, deadline)
    postgres.wait_until_ready(launch.postgres, launch.secrets, deadline)
    addresses = _addresses(launch)
    addresses.save(launch.data_dir)
    return Services(addresses, launch, lock)


def _stop(launch: Launch, timeout: float) -> None:
    Addresses.remove(launch.data_dir)
    launch.valkey.stop(timeout)
    launch.postgres.stop(timeout)


def _addresses(launch: Launch) -> Addresses:
    return Addresses(
        database_url=postgres.database_url(launch.secrets),
        redis_url=valkey.redis_url(launch.secrets),
        pids={"owner": os.getpid(), "postgres": launch.postgres.pid, "valkey": launch.valkey.pid},
    )


def _join(data_dir: Path, lock: Lock) -> Services:
    """Wait until the process that has the lock has published its addresses."""
    deadline = time.monotonic() + READY_TIMEOUT
    while lock.is_held():
        addresses = Addresses.load(data_dir)
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
