"""Real processes for the long run: servers of their own, a web and a gRPC process as the product starts them."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx

from codetether import env
from codetether.embedded import start

TOKEN = "token-of-the-fuzz"  # noqa: S105
START_SECONDS = 90.0
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "2"}
"""glibc gives memory back at once: what is resident is then what is held, and not what one large answer once took."""
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Stage:
    """Where the processes are, and the file that holds what they have said."""

    database_url: str
    web_port: int
    web_pid: int
    grpc_port: int
    grpc_pid: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def faults(self) -> list[str]:
        """The lines of the log that tell of errors."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if " ERROR " in line]


@contextmanager
def staged() -> Iterator[Stage]:
    """Start everything in a temporary folder, for this process too; stop and remove it afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="codetether-fuzz-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        services = start(folder, durable=False)
        stack.callback(services.stop)
        variables = env.inherited(
            DATABASE_URL=services.database_url,
            A2A_REDIS_URL=services.redis_url,
            CODETETHER_DATA_DIR=str(folder),
            DJANGO_SETTINGS_MODULE="codetether.settings.base",
            A2A_AUTH_TOKENS=f"fuzz:{TOKEN}",
            A2A_RATE_LIMIT_ANONYMOUS="",
            A2A_LOG_LEVEL="WARNING",
            A2A_BLOCKING_TIMEOUT="1",
            **ALLOCATOR,
        )
        (folder / "static").mkdir()
        os.environ.update(variables)  # this process makes the requests from the product's own tables
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v0", "--skip-checks"], env=variables, check=True)
        log = stack.enter_context((folder / "log").open("ab"))
        web_port, web_pid = stack.enter_context(_web(variables, log.fileno()))
        grpc_port, grpc_pid = stack.enter_context(_grpc(variables, log.fileno()))
        yield Stage(services.database_url, web_port, web_pid, grpc_port, grpc_pid, folder / "log")


@contextmanager
def _web(variables: dict[str, str], log: int) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        gate, ours = os.pipe()
        os.close(ours)
        options = [f"--fd={listener.fileno()}", f"--gate-fd={gate}", "--log-level=warning"]
        with _running(["codetether.web", *options], variables, log, (listener.fileno(), gate)) as pid:
            os.close(gate)
            port = listener.getsockname()[1]
            for path in ("/health", "/.well-known/agent-card.json"):  # the first card loads code, which is no growth
                httpx.get(f"http://127.0.0.1:{port}{path}", timeout=START_SECONDS).raise_for_status()
            yield port, pid


@contextmanager
def _grpc(variables: dict[str, str], log: int) -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    with _running(["codetether.cli", "grpc", "--port", str(port)], variables, log) as pid:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
        yield port, pid


@contextmanager
def _running(module: Sequence[str], variables: dict[str, str], log: int, fds: tuple[int, ...] = ()) -> Iterator[int]:
    """A Python process of ours, which must still be there when the block ends."""
    process = subprocess.Popen([sys.executable, "-m", *module], env=variables, pass_fds=fds, stderr=log)
    try:
        yield process.pid
        if process.poll() is not None:
            raise RuntimeError(f"{module[0]} has ended with {process.returncode}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
