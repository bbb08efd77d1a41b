"""The embedded PostgreSQL: its data folder, its command line, and how to tell that it is ready."""

import logging
import os
import shutil
import signal
from pathlib import Path

import psycopg

from codetether.embedded import binaries, processes
from codetether.embedded import identity as identities
from codetether.embedded.errors import EmbeddedError
from codetether.embedded.ports import LOOPBACK
from codetether.embedded.processes import Identity, Part, Server
from codetether.embedded.state import Secrets

logger = logging.getLogger(__name__)

MAJOR_VERSION = "18"
SUPERUSER = "postgres"
NAME = "codetether"  # of the database, and of the role that owns it
APP_ROLE = "codetether_app"  # as which everything but migrations runs (apps/core/tenancy.py)
# sun_path of sockaddr_un holds 108 bytes with the final NUL; PostgreSQL appends "/.s.PGSQL.PORT".
SOCKET_FOLDER_LIMIT_BYTES = 107 - len("/.s.PGSQL.65535")

# For a small machine that does other things too. Parallel queries stay off: containers have a tiny /dev/shm.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "120",
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_naptime": "20s",
    "io_method": "sync",
    "huge_pages": "off",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# For tests: a crash may lose everything, in exchange for speed.
VOLATILE_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program() -> Path:
    return binaries.postgres_folder() / "postgres"


def database_url(secrets: Secrets) -> str:
    return f"postgresql://{NAME}:{secrets.database_password}@{LOOPBACK}:{secrets.postgres_port}/{NAME}"


def prepare_folder(data_dir: Path, identity: Identity, secrets: Secrets | None, *, durable: bool) -> Secrets:
    """Make sure that a finished data folder is there; returns the passwords that are true for it.

    A new one is made in ``postgres.new`` and renamed when it is complete, so ``postgres`` is never half a
    database and whatever lies in ``postgres.new`` never was one.
    Raises EmbeddedError when ``postgres`` holds something that this release cannot use; it is left untouched.
    """
    folder = data_dir / "postgres"
    if (data_dir / "postgres.new").exists():
        logger.warning("%s is half a database that was never finished; making a new one", data_dir / "postgres.new")
        shutil.rmtree(data_dir / "postgres.new")
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if not folder.exists():
        return _create(data_dir, identity, durable=durable)
    _require_usable(folder)
    identities.own(folder, identity)
    return secrets or _reset_passwords(data_dir, identity)


def part(data_dir: Path, identity: Identity, secrets: Secrets, *, durable: bool) -> Part:
    return Part(
        key="postgres",
        url=database_url(secrets),
        server=_server(data_dir, identity, secrets, durable=durable),
        is_ready=lambda: is_ready(secrets),
        failure=failure,
    )


def _server(data_dir: Path, identity: Identity, secrets: Secrets, *, durable: bool) -> Server:
    settings = SETTINGS | ({} if durable else VOLATILE_SETTINGS)
    settings |= {"port": str(secrets.postgres_port), "unix_socket_directories": _socket_folder(data_dir)}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Server(
        name="PostgreSQL",
        identity=identity,
        command=[str(program()), "-D", str(data_dir / "postgres"), *arguments],
        log=data_dir / "logs" / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
    )


def is_ready(secrets: Secrets) -> bool:
    """Try a real connection; raises EmbeddedError when the server runs but does not let us in."""
    try:
        with psycopg.connect(database_url(secrets), connect_timeout=5) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE]).fetchone():
                _make_app_role(secrets)
            return True
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EmbeddedError(
                "The embedded PostgreSQL refuses the password in embedded.json; "
                "remove that file and start again to get a new one."
            ) from error
        return False


def _make_app_role(secrets: Secrets) -> None:
    """Also for a database of an earlier release, which had no such role."""
    url = f"postgresql://{SUPERUSER}:{secrets.superuser_password}@{LOOPBACK}:{secrets.postgres_port}/{NAME}"
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute(f"CREATE ROLE {APP_ROLE} NOLOGIN")
        connection.execute(f"GRANT {APP_ROLE} TO {NAME}")


def failure(log_lines: list[str]) -> str:
    """The line of a failed server's log that says why."""
    severe = [line for line in log_lines if "FATAL:" in line or "PANIC:" in line]
    return (severe or log_lines or ["it said nothing"])[0].strip()


def end_orphan(data_dir: Path, timeout: float = 20) -> None:
    """Deal with the postmaster.pid of a launcher that was killed. Only for the holder of the lock.

    A server that is still there is stopped; a pid that now belongs to another program is forgotten, because
    PostgreSQL itself may take that program for a postmaster and refuse to start.
    """
    pid_file = data_dir / "postgres" / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if str(data_dir / "postgres") not in processes.arguments_of(pid):
        pid_file.unlink(missing_ok=True)
        return
    processes.end(pid, signal.SIGINT, timeout)


def _require_usable(folder: Path) -> None:
    try:
        version = (folder / "PG_VERSION").read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise EmbeddedError(
            f"{folder} is not a PostgreSQL data folder; move it away to start with an empty database."
        ) from error
    if version != MAJOR_VERSION:
        raise EmbeddedError(
            f"{folder} belongs to PostgreSQL {version}, this release runs {MAJOR_VERSION}; "
            "dump it with the old release and load it into a new folder."
        )
    if not (folder / "global" / "pg_control").is_file():
        raise EmbeddedError(
            f"{folder} is half a database (no global/pg_control); restore it, or move it away to start empty."
        )


def _create(data_dir: Path, identity: Identity, *, durable: bool) -> Secrets:
    secrets = Secrets()
    staging = data_dir / "postgres.new"
    staging.mkdir(mode=0o700)
    password_file = staging / "password"
    password_file.write_text(secrets.superuser_password + "\n", encoding="ascii")
    identities.own(staging, identity)
    cluster = staging / "cluster"
    _initdb(cluster, password_file, identity, durable=durable)
    _run_sql(
        cluster,
        identity,
        f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{secrets.database_password}';",
        f"CREATE DATABASE {NAME} OWNER {NAME};",
    )
    # Before the rename: a finished database always has its passwords beside it.
    secrets.save(data_dir)
    cluster.rename(data_dir / "postgres")
    shutil.rmtree(staging)
    return secrets


def _initdb(cluster: Path, password_file: Path, identity: Identity, *, durable: bool) -> None:
    command = [
        *(str(binaries.postgres_folder() / "initdb"), f"--pgdata={cluster}", f"--username={SUPERUSER}"),
        *(f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
        *(() if durable else ("--no-sync",)),
    ]
    answer = processes.run(identity, command)
    if answer.returncode != 0:
        lines = [line for line in answer.stdout.splitlines() if "error:" in line or "FATAL:" in line]
        reason = lines[0] if lines else answer.stdout.strip().rpartition("\n")[2]
        raise EmbeddedError(f"initdb could not make a database in {cluster.parent.parent}: {reason}")


def _run_sql(cluster: Path, identity: Identity, *statements: str) -> None:
    """Run statements in single-user mode: no server, no port, no password."""
    command = [str(program()), "--single", "-D", str(cluster), "-c", "log_checkpoints=off", "postgres"]
    answer = processes.run(identity, command, text="".join(f"{statement}\n" for statement in statements))
    faults = [line for line in answer.stdout.splitlines() if "ERROR:" in line or "FATAL:" in line]
    if faults or answer.returncode != 0:
        raise EmbeddedError(f"The database in {cluster} could not be set up: {failure(faults)}")


def _reset_passwords(data_dir: Path, identity: Identity) -> Secrets:
    """embedded.json is gone or damaged: give the existing database new passwords."""
    secrets = Secrets()
    _run_sql(
        data_dir / "postgres",
        identity,
        f"ALTER ROLE {SUPERUSER} PASSWORD '{secrets.superuser_password}';",
        f"ALTER ROLE {NAME} PASSWORD '{secrets.database_password}';",
    )
    secrets.save(data_dir)
    return secrets


def _socket_folder(data_dir: Path) -> str:
    """The data folder itself (0700) where its path is short enough for a socket, else TCP only."""
    folder = str(data_dir / "postgres")
    return folder if len(os.fsencode(folder)) <= SOCKET_FOLDER_LIMIT_BYTES and "," not in folder else ""
