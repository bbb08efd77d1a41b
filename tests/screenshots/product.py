"""The whole product with servers of its own in a temporary folder, and made-up data in it."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from codetether import env

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STOP_SECONDS = 120.0, 30.0
ELSEWHERE = ("DATABASE_URL", "A2A_", "CODETETHER_", "DJANGO_")
"""Begin the names of what would point the product at other servers and data."""


@dataclass(frozen=True)
class Product:
    """Where it is, and the login and token of its first admin."""

    url: str
    username: str
    password: str
    token: str

    def http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=httpx.Timeout(START_SECONDS)
        )


@contextmanager
def running(tasks: int) -> Iterator[Product]:
    """It, with so many tasks from `manage.py seed_demo`; stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="codetether-screenshots-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        variables = _variables(folder, _free_port())
        with (folder / "product.log").open("wb") as log:
            command = [sys.executable, "-m", "codetether.cli", "up", "--no-worker"]
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
            try:
                _wait_until_ready(process, variables["A2A_AGENT_URL"], folder / "product.log")
                seed = [sys.executable, "manage.py", "seed_demo", f"--scale={tasks}", "--force"]
                subprocess.run(seed, cwd=ROOT, env=variables, check=True, stdout=log, stderr=log)
                yield _product(variables["A2A_AGENT_URL"], folder / "data" / "credentials.json")
            finally:
                process.terminate()
                process.wait(STOP_SECONDS)


def _variables(folder: Path, port: int) -> dict[str, str]:
    inherited = {name: value for name, value in env.inherited().items() if not name.startswith(ELSEWHERE)}
    return inherited | {
        "CODETETHER_DATA_DIR": str(folder / "data"),
        "A2A_PORT": str(port),
        "A2A_GRPC_PORT": "0",
        "A2A_AGENT_URL": f"http://127.0.0.1:{port}",
        "A2A_OUTBOUND_ALLOWED": "127.0.0.1",
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"The product did not start:\n{log.read_text()}")


def _product(url: str, credentials: Path) -> Product:
    said = json.loads(credentials.read_text())
    return Product(url, said["admin_username"], said["admin_password"], said["token"])
