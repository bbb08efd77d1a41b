"""The embedded Valkey: its configuration, and how to tell that it is ready."""

import re
import signal
import socket
from pathlib import Path

from codetether.embedded import binaries, processes
from codetether.embedded import identity as identities
from codetether.embedded.ports import LOOPBACK
from codetether.embedded.processes import Identity, Part, Server
from codetether.embedded.state import Addresses, Secrets


def redis_url(secrets: Secrets) -> str:
    return f"redis://:{secrets.valkey_password}@{LOOPBACK}:{secrets.valkey_port}/0"


def prepare_folder(data_dir: Path, identity: Identity) -> None:
    folder = data_dir / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    identities.own(folder, identity)


def part(data_dir: Path, identity: Identity, secrets: Secrets, *, durable: bool) -> Part:
    return Part(
        key="valkey",
        url=redis_url(secrets),
        server=_server(data_dir, identity, secrets, durable=durable),
        is_ready=lambda: is_ready(secrets),
        failure=failure,
    )


def _server(data_dir: Path, identity: Identity, secrets: Secrets, *, durable: bool) -> Server:
    return Server(
        name="Valkey",
        identity=identity,
        command=[
            str(binaries.valkey_program()),
            "-",
        ],  # "-": configured by standard input, it holds the password
        configuration=configuration(data_dir, secrets, durable=durable),
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
