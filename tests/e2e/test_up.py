"""`codetether up` as a newcomer runs it: real processes, embedded PostgreSQL and Valkey, an empty folder."""

import asyncio
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import httpx2
import pytest
from a2a.types.a2a_pb2 import GetExtendedAgentCardRequest
from a2a.types.a2a_pb2_grpc import A2AServiceStub
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 90
STOP_SECONDS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """This process's, without what points at the tests' own database."""
    ours = ("DATABASE_URL", "A2A_", "CODETETHER_", "DJANGO_", "MCP_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}  # noqa: TID251
    return kept | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "worker")])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "codetether.cli", *arguments]


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def parents() -> dict[int, int]:
    """Every living process and its parent; zombies do not live."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


class Up:
    """A running `codetether up` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / ".codetether"
        self.port = free_port()
        self.grpc_port = free_port()
        self.mcp_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.console = ""
        self.process = subprocess.Popen(
            command("up", "--port", str(self.port)),
            cwd=folder,
            env=environment() | {"A2A_GRPC_PORT": str(self.grpc_port), "MCP_HTTP_PORT": str(self.mcp_port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def read_until(self, words: str, seconds: float = START_SECONDS) -> None:
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while words not in self.console:
            left = deadline - time.monotonic()
            assert left > 0, f"no {words!r} in:\n{self.console}"
            if select.select([self.process.stdout], [], [], left)[0]:
                chunk = os.read(self.process.stdout.fileno(), 65536)
                assert chunk, f"ended without {words!r}:\n{self.console}"
                self.console += chunk.decode()

    def ready(self) -> "Up":
        self.read_until("Ctrl-C\n")
        return self

    def descendants(self) -> set[int]:
        family = {self.process.pid}
        while True:
            grown = family | {pid for pid, parent in parents().items() if parent in family}
            if grown == family:
                return family - {self.process.pid}
            family = grown

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=STOP_SECONDS)
        self.console += output.decode()
        return self.process.returncode

    def pid_of(self, words: str) -> int:
        """The descendant with these words in its command line; 0 when there is none."""
        for pid in self.descendants():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if words in Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " "):
                    return pid
        return 0


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One newcomer's first start, shared by the tests that leave it running."""
    running = Up(tmp_path_factory.mktemp("newcomer"))
    try:
        yield running.ready()
    finally:
        running.stop()


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory, up: Up) -> Iterator[Callable[[], Up]]:
    """Starts of a test's own, all in one folder."""
    folder = tmp_path_factory.mktemp("regular")
    started: list[Up] = []

    def run() -> Up:
        started.append(Up(folder))
        return started[-1].ready()

    yield run
    for each in started:
        each.stop()


def health(up: Up) -> int:
    return httpx.get(f"{up.url}/health", timeout=30).status_code


def list_tasks(url: str, data_dir: Path) -> int:
    token = json.loads((data_dir / "credentials.json").read_text())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/v1/opencode/tasks", headers=headers, timeout=30).status_code


def test_the_first_start_shows_a_login_that_works(up: Up) -> None:
    login = json.loads((up.data_dir / "credentials.json").read_text())
    assert f"{login['admin_username']} / {login['admin_password']}" in up.console
    assert login["token"] in up.console
    assert list_tasks(up.url, up.data_dir) == 200
    assert httpx.get(f"{up.url}/v1/opencode/tasks").status_code == 401


def test_grpc_answers_where_the_card_and_the_banner_say(up: Up) -> None:
    card = httpx.get(f"{up.url}/.well-known/agent-card.json").json()
    (address, _) = [one["url"] for one in card["supportedInterfaces"] if one["protocolBinding"] == "GRPC"]
    assert address == f"127.0.0.1:{up.grpc_port}"
    assert f" {address}\n" in up.console
    token = json.loads((up.data_dir / "credentials.json").read_text())["token"]
    with grpc.insecure_channel(address) as channel:
        ask = A2AServiceStub(channel).GetExtendedAgentCard
        told = ask(
            GetExtendedAgentCardRequest(),
            metadata=[("authorization", f"Bearer {token}")],
            timeout=START_SECONDS,
            wait_for_ready=True,
        )
    assert told.name == card["name"]


def test_mcp_answers_alone_where_the_banner_says_and_on_standard_output(up: Up) -> None:
    address = f"http://127.0.0.1:{up.mcp_port}/mcp"
    assert f" {address}\n" in up.console
    assert httpx.get(f"http://127.0.0.1:{up.mcp_port}/admin/").status_code == 404
    assert httpx.get(f"http://127.0.0.1:{up.mcp_port}/health").status_code == 200
    token = json.loads((up.data_dir / "credentials.json").read_text())["token"]
    by_stdio = StdioServerParameters(
        command=sys.executable,
        args=[str(REPOSITORY / "manage.py"), "mcp_stdio"],
        env=environment() | {"CODETETHER_DATA_DIR": str(up.data_dir)},
    )

    async def tools_of(server: Any) -> list[str]:
        async with asyncio.timeout(START_SECONDS), Client(server) as client:
            made = await client.call_tool("create_task", {"title": "Till", "prompt": "Mend it"})
            assert made.structured_content["status"] == "pending"
            return [tool.name for tool in (await client.list_tools()).tools]

    async def ask() -> tuple[list[str], list[str]]:
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
            return await tools_of(streamable_http_client(address, http_client=http)), await tools_of(by_stdio)

    by_http, by_pipe = asyncio.run(ask())
    assert by_http == by_pipe
    assert "get_task" in by_http


def test_a_second_up_in_the_folder_is_refused_in_one_line(up: Up) -> None:
    second = subprocess.run(
        command("up", "--port", str(free_port())),
        cwd=up.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert re.fullmatch(rf"codetether: CodeTether already runs in .* \(process {up.process.pid}, .*\n", second.stderr)
    assert health(up) == 200


def test_run_beside_up_shares_its_database(up: Up) -> None:
    port = free_port()
    run = subprocess.Popen(
        command("--port", str(port)), cwd=up.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert wait_until(lambda: _answers(port), START_SECONDS)
        assert list_tasks(f"http://127.0.0.1:{port}", up.data_dir) == 200
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=STOP_SECONDS)
    assert run.returncode == 0
    assert health(up) == 200


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


def test_the_local_worker_restarts_on_request(up: Up) -> None:
    before = up.pid_of("codetether_worker")
    subprocess.run(command("restart-worker"), cwd=up.folder, env=environment(), capture_output=True, check=True)
    up.read_until("worker restarts as asked")
    assert wait_until(lambda: up.pid_of("codetether_worker") not in (0, before), START_SECONDS)


def test_a_killed_web_server_comes_back(up: Up) -> None:
    os.kill(up.pid_of("codetether.web"), signal.SIGKILL)
    up.read_until("web was ended by SIGKILL")
    # Nobody is refused in between: the supervisor holds the socket, so this waits for the new process.
    assert health(up) == 200


def test_a_killed_database_comes_back(up: Up) -> None:
    os.kill(up.pid_of("bin/postgres -D"), signal.SIGKILL)
    up.read_until("PostgreSQL ended by itself; started again")
    assert wait_until(lambda: httpx.get(f"{up.url}/health/ready", timeout=30).status_code == 200, START_SECONDS)


def test_a_killed_supervisor_takes_all_along_and_the_next_start_recovers(start: Callable[[], Up]) -> None:
    killed = start()
    family = killed.descendants()
    killed.process.kill()
    killed.process.wait()
    assert wait_until(lambda: not family & parents().keys(), STOP_SECONDS)
    again = start()
    assert list_tasks(again.url, again.data_dir) == 200
    assert json.loads((again.data_dir / "credentials.json").read_text())["token"] not in again.console


def test_ctrl_c_stops_everything_within_seconds(start: Callable[[], Up]) -> None:
    up = start()
    family = up.descendants()
    assert len(family) >= 5
    began = time.monotonic()
    assert up.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 15
    assert not family & parents().keys()
    assert not (up.data_dir / "services.json").exists()
    assert not (up.data_dir / "up.json").exists()
