"""What a run of the bench needs: servers of its own, the web process as the product runs it, and the references."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from codetether import env
from codetether.embedded import start
from codetether.embedded.binaries import postgres_folder

TOKEN = "token-of-the-bench"
START_SECONDS = 60.0
FILES = 20_000


@dataclass(frozen=True)
class Served:
    """A process that answers HTTP: its address, its process id, and the seconds from its launch to its first answer."""

    url: str
    pid: int
    started_in: float

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0


@dataclass(frozen=True)
class Stage:
    """Everything that the measurements use."""

    database_url: str
    web: Served
    reference: Served

    def pgbench(self, script: str, *, clients: int, seconds: float = 0, each: int = 0, mode: str = "prepared") -> float:
        """Transactions per second of a pgbench script on the stage's database (two threads).

        In the mode `simple` each statement is sent anew, with all that it says. It runs for `seconds`, or until
        each client has run it `each` times.
        """
        file = Path(tempfile.mkstemp(suffix=".sql")[1])
        file.write_text(script)
        command = [str(postgres_folder() / "pgbench"), "-n", "-M", mode, "-c", str(clients), "-j", "2"]
        command += ["-t", str(each)] if each else ["-T", str(max(1, round(seconds)))]
        command += ["-f", str(file), self.database_url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        file.unlink()
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("tps")]
        return float(line.split()[2])


@contextmanager
def staged() -> Iterator[Stage]:
    """Start everything, durable as in production, in a temporary folder; stop and remove it afterwards."""
    _raise_file_limit()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="codetether-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        services = start(folder, durable=True)
        stack.callback(services.stop)
        variables = env.inherited(
            DATABASE_URL=services.database_url,
            A2A_REDIS_URL=services.redis_url,
            CODETETHER_DATA_DIR=str(folder),
            DJANGO_SETTINGS_MODULE="codetether.settings.base",
            A2A_AUTH_TOKENS=f"bench:{TOKEN}",
            A2A_RATE_LIMIT_ANONYMOUS="",
            A2A_LOG_LEVEL="WARNING",
        )
        (folder / "static").mkdir()
        os.environ.update(variables)  # the measurements of the services run in this process
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v0", "--skip-checks"], env=variables, check=True)
        web = stack.enter_context(_web(variables))
        reference = stack.enter_context(_reference(variables))
        yield Stage(services.database_url, web, reference)


def _raise_file_limit() -> None:
    """Thousands of streams need as many files, here and in the web process, which inherits the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


@contextmanager
def _web(variables: dict[str, str]) -> Iterator[Served]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    gate, ours = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "codetether.web", f"--fd={listener.fileno()}", f"--gate-fd={gate}"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--log-level=warning"], env=variables, pass_fds=(listener.fileno(), gate), stderr=subprocess.PIPE
    )
    os.close(gate)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with _ended(process), listener:
        _wait_for(f"{url}/health", process)
        yield Served(url, process.pid, time.perf_counter() - began)


@contextmanager
def durable_reference(stage: Stage) -> Iterator[Served]:
    """The a2a-sdk's own server with its database store, beside our tables."""
    database_url = stage.database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    with _reference(env.inherited(), "--database", database_url) as served:
        yield served


@contextmanager
def tools_reference() -> Iterator[Served]:
    """The MCP SDK's own server with one tool."""
    with _reference(env.inherited(), module="tests.bench.tools_reference") as served:
        yield served


@contextmanager
def _reference(variables: dict[str, str], *options: str, module: str = "tests.bench.a2a_reference") -> Iterator[Served]:
    """A server that prints its port; without options the a2a-sdk's own with its in-memory store."""
    began = time.perf_counter()
    command = [sys.executable, "-m", module, *options]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with _ended(process):
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        _wait_for(url, process)
        yield Served(url, process.pid, time.perf_counter() - began)


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once `url` answers anything at all."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=START_SECONDS).close()  # noqa: S310 (our own address)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{url} does not answer")
