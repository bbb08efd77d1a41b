"""The real parts of a run, each of which can be killed, frozen and started again at its address.

All are started from the main thread: the kernel ends the embedded servers with the thread that began them.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from codetether import env
from codetether.embedded import Services, start
from codetether.embedded.processes import Identity, command_line
from codetether.supervisor import plan
from codetether.supervisor.children import Program
from tests.chaos.scene import LEASE_SECONDS, TOKEN, Scene
from tests.fakes.worker_process import WorkerProcess

STOP_SECONDS = 15.0
LOOPBACK = "127.0.0.1"
SAME_USER = Identity("same", 0, 0, 0)


class Part(ABC):
    """Something that can be down. `kind` is what the summary counts it under."""

    kind: str

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def pids(self) -> list[int]:
        """Its processes now, the one that the others hang on first; empty when it is down."""

    @abstractmethod
    def start(self) -> None:
        """Again, after it has ended."""

    @property
    def is_up(self) -> bool:
        return bool(self.pids())

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class StorePart(Part):
    """PostgreSQL or Valkey; its data outlives it."""

    def __init__(self, name: str, services: Services, folder: Path) -> None:
        super().__init__(name)
        self.kind = name
        self._services = services
        self._note = folder / "services.json"

    def pids(self) -> list[int]:
        pid = int(json.loads(self._note.read_text())["pids"][self.name])
        return [pid, *children_of(pid)] if is_alive(pid) else []

    def start(self) -> None:
        self._services.restart_dead()

    def kill_one_child(self, draw: float) -> None:
        """One of PostgreSQL's sessions dies as by a bug: it ends all others and recovers by itself."""
        own = self.pids()[1:]
        if own:
            with contextlib.suppress(ProcessLookupError):
                os.kill(own[int(draw * len(own))], signal.SIGKILL)


class ProgramPart(Part):
    """A program of the product with its process group, which its supervisor ends with it; so does this."""

    def __init__(self, name: str, kind: str, program: Program) -> None:
        super().__init__(name)
        self.kind = kind
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def pids(self) -> list[int]:
        if self._process is None:
            return []
        if self._process.poll() is None:
            return [self._process.pid]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return []

    def start(self) -> None:
        assert self._program.log is not None
        with self._program.log.open("ab") as log:
            self._process = subprocess.Popen(
                command_line(SAME_USER, self._program.command), env=dict(self._program.environment),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=self._program.pass_fds,
            )  # fmt: skip

    def signal(self, number: signal.Signals) -> None:
        """To the whole group; a kill goes to the first process alone, as the kernel's does when memory is short."""
        for pid in self.pids():
            send = os.kill if number == signal.SIGKILL else os.killpg
            with contextlib.suppress(ProcessLookupError):
                send(pid, number)

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self.pids()


class WebPart(ProgramPart):
    """A web process at a port of its own, which refuses connections while it is down."""

    def __init__(self, name: str, settings: plan.Plan, environment: Mapping[str, str]) -> None:
        super().__init__(name, "web", plan.web(settings, environment, listeners=[0], gate=0))
        self._settings, self._environment = settings, environment
        # Bound but not listening: the port stays ours, and who connects is refused.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind((LOOPBACK, 0))
        self.port = int(self._place.getsockname()[1])

    def start(self) -> None:
        gate, ours = os.pipe()
        os.close(ours)
        with socket.create_server((LOOPBACK, self.port), backlog=512, reuse_port=True) as listener:
            made = plan.web(self._settings, self._environment, listeners=[listener.fileno()], gate=gate)
            self._program = Program(
                name=self.name, command=made.command, environment=made.environment, pass_fds=made.pass_fds,
                log=self._settings.log(self.name),
            )  # fmt: skip
            super().start()
        os.close(gate)


class DaemonPart(Part):
    """The real worker daemon on a state folder of its own."""

    kind = "worker daemon"

    def __init__(self, name: str, process: WorkerProcess) -> None:
        super().__init__(name)
        self._process = process
        self._started = False

    def pids(self) -> list[int]:
        return [self._process.pid] if self._started and is_alive(self._process.pid) else []

    def start(self) -> None:
        self._process.start()
        self._started = True

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        if self.is_up:
            self._process.stop()


def is_alive(pid: int) -> bool:
    """Whether the process runs: neither gone nor a zombie that waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def stores(folder: Path) -> Iterator[tuple[Services, list[StorePart]]]:
    """PostgreSQL and Valkey, durable as the product runs them."""
    services = start(folder, durable=True)
    parts = [StorePart(name, services, folder) for name in ("postgres", "valkey")]
    try:
        yield services, parts
    finally:
        for part in parts:
            part.thaw()
        services.stop()


def product_settings(scene: Scene, services: Services) -> tuple[plan.Plan, dict[str, str]]:
    """The plan and the environment by which `codetether up` would start the product on these stores."""
    changes = {
        "DATABASE_URL": services.database_url, "A2A_REDIS_URL": services.redis_url,
        "CODETETHER_DATA_DIR": str(scene.folder), "DJANGO_SETTINGS_MODULE": "codetether.settings.base",
        "CODETETHER_LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_SSE_KEEPALIVE": "1", "A2A_LOG_LEVEL": "INFO",
        "A2A_AUTH_TOKENS": f"chaos:{TOKEN}", "A2A_RATE_LIMIT_ANONYMOUS": "",
    }  # fmt: skip
    variables = env.inherited(**changes)
    return plan.Plan(settings=env.load(variables), is_whole=True, has_worker=False), variables


def prepare(settings: plan.Plan, variables: Mapping[str, str]) -> None:
    """Make the tables."""
    program = plan.prepare(settings, variables)
    done = subprocess.run(program.command, env=dict(variables), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)


def jobs(settings: plan.Plan, variables: Mapping[str, str]) -> list[ProgramPart]:
    """Celery's worker, and its beat with the product's own schedule."""
    programs = (plan.jobs(settings, variables), plan.clock(settings, variables))
    return [ProgramPart(program.name, program.name, program) for program in programs]


def daemon(scene: Scene, number: int) -> DaemonPart:
    name = f"daemon-{number}"
    home = scene.folder / name
    home.mkdir()
    environment = {
        "A2A_WORKER_NAME": name, "A2A_WORKER_ID": name, "A2A_TOKEN": TOKEN, "PATH": os.defpath,
        "A2A_POLL_INTERVAL": "0.5", "A2A_LOG_LEVEL": "INFO", "A2A_WORKER_CONCURRENCY": "8",
    }  # fmt: skip
    return DaemonPart(name, WorkerProcess(f"http://{LOOPBACK}:{scene.proxy_port}", home, environment=environment))


def wait_until(condition: object, what: str, seconds: float) -> None:
    """Poll until `condition()` is true; TimeoutError with `what` after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
