"""The embedded Valkey: its configuration, and how to tell that it is ready."""

import re
import signal
import socket
import time
from pathlib import Path

from codetether.embedded import binaries, processes
from codetether.embedded import identity as identities
from codetether.embedded.errors import EmbeddedError
from codetether.embedded.ports import LOOPBACK
from codetether.embedded.processes import Identity, Server
from codetether.embedded.state import Addresses, Secrets


def redis_url(secrets: Secrets) -> str:
    return f"redis://:{secrets.valkey_password}@{LOOPBACK}:{secrets.valkey_port}/0"


def prepare_folder(data_dir: Path, identity: Identity) -> None:
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    identities.own(folder, identity)


def server(data_dir: Path, identity: Identity) -> Server:
    return Server(
        name="Valkey",
        identity=identity,
        command=[str(binaries.valkey_program()), "-"],  # the configuration comes by standard input: it holds the password
        log=data_dir / "logs" / "valkey.log",
        stop_signal=signal.SIGTERM,
    )


def configuration(data_dir: Path, secrets: Secrets, *, durable: bool) -> bytes:
    lines = [
        f"bind {LOOPBACK}",
        f"port {secrets.valkey_port}",
        f"requirepass {secrets.valkey_password}",
        f"dir {_quoted(data_dir / 'valkey')}",
        f"appendonly {'yes' if durable else 'no'}",
        "appendfsync everysec",
        'save ""',
        "daemonize no",
        'proc-title-template "{title} {listen-addr}"',
    ]
    return ("\n".join(lines) + "\n").encode()


def is_ready(secrets: Secrets) -> bool:
    """Log in and ping (RESP2, inline commands)."""
    try:
        with socket.create_connection((LOOPBACK, secrets.valkey_port), timeout=5) as connection:
            connection.sendall(f"AUTH {secrets.valkey_password}\r\nPING\r\nQUIT\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return False
    return answer.startswith(b"+OK\r\n+PONG\r\n")


def wait_until_ready(server: Server, secrets: Secrets, deadline: float) -> None:
    """Block until commands are answered; ``deadline`` is a time.monotonic() value."""
    while not is_ready(secrets):
        if server.exit_code is not None:
            raise EmbeddedError(f"Valkey did not start: {failure(server.log_lines())} (log: {server.log})")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Valkey is not ready in time; see {server.log}.")
        time.sleep(0.01)


def failure(log_lines: list[str]) -> str:
    """The line of a failed server's log that says why (``#`` marks warnings and worse)."""
    severe = [line for line in log_lines if re.search(r" # |FATAL|rror", line) and "overcommit" not in line]
    return (severe or log_lines or ["it said nothing"])[-1].strip()


def end_orphan(addresses: Addresses | None, timeout: float = 20) -> None:
    """Stop a server that a killed launcher left behind. Only for the holder of the lock."""
    if addresses is None:
        return
    pid, port = addresses.pids.get("valkey", 0), addresses.redis_url.rpartition(":")[2].partition("/")[0]
    title = " ".join(processes.arguments_of(pid))
    if "valkey-server" in title and f":{port}" in title:
        processes.end(pid, signal.SIGTERM, timeout)


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
