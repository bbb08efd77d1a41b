"""The order of starting and stopping, with tiny programs in place of Django and Celery."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from codetether import embedded, env
from codetether.embedded.state import Addresses
from codetether.supervisor import plan as plans
from codetether.supervisor import sockets
from codetether.supervisor.children import Program
from codetether.supervisor.errors import StartError
from codetether.supervisor.plan import Plan
from codetether.supervisor.run import Run
from tests.unit.supervisor.conftest import MakeProgram, eventually, within

pytestmark = pytest.mark.asyncio

LOGIN = {
    "created": True,
    "admin_username": "admin",
    "admin_password": "sesame",
    "token": "ct_bread",
    "worker_token": "ct_crumb",
}
WEB = """
import os, signal, socket, sys
listener, gate, diary = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
def write(word):
    with open(diary, "a") as file: file.write(word + "\\n")
def leave(*_):
    write("web stops"); os._exit(0)
signal.signal(signal.SIGTERM, leave)
os.read(gate, 1)
write("web serves")
while True:
    connection, _ = listener.accept()
    connection.recv(4096); connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n"); connection.close()
"""


class Bakery:
    """One Run on a free port, its console and what its children wrote down."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        host, port = listener.getsockname()
        settings = env.load({"A2A_HOST": host, "A2A_PORT": str(port), "CODETETHER_DATA_DIR": str(folder / "data")})
        self.plan = Plan(settings=settings, is_whole=True, has_worker=True)
        self.console: list[str] = []
        self.diary_file = folder / "diary"
        services = embedded.Services(Addresses("", "", {}))
        self.banners: list[str] = []
        self._make = partial(Run, services=services, listeners=[listener], report=self.console.append)
        self.run = self._make(self.plan, {}, show=self.banners.append)

    def without_ports(self) -> None:
        """Neither gRPC's nor MCP's own."""
        self.plan = replace(self.plan, settings=replace(self.plan.settings, grpc_port=0, mcp_port=0))
        self.run = self._make(self.plan, {}, show=self.banners.append)

    @property
    def diary(self) -> list[str]:
        return self.diary_file.read_text().splitlines() if self.diary_file.exists() else []


@pytest.fixture
def bakery(tmp_path: Path, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bakery]:
    with sockets.listen("127.0.0.1", 0) as listener:
        bakery = Bakery(tmp_path, listener)
        _replace_programs(bakery, shell, monkeypatch)
        yield bakery


def _replace_programs(bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    diary = bakery.diary_file

    def web(plan: Plan, environment: object, *, listeners: Sequence[int], gate: int) -> Program:
        command = [sys.executable, "-c", WEB, str(listeners[0]), str(gate), str(diary)]
        return replace(shell("", name="web"), command=command, pass_fds=(*listeners, gate))

    def helper(name: str) -> Program:
        script = f"trap 'echo {name} stops >>{diary}; exit' TERM; echo {name} works >>{diary}; "
        return shell(script + "while :; do sleep 0.05; done", name=name)

    prepare = f"echo prepared >>{diary}; echo '{json.dumps(LOGIN)}'"
    monkeypatch.setattr(plans, "web", web)
    monkeypatch.setattr(plans, "prepare", lambda *_: shell(prepare, name="prepare"))
    monkeypatch.setattr(plans, "grpc", lambda *_: helper("grpc"))
    monkeypatch.setattr(plans, "jobs", lambda *_: helper("jobs"))
    monkeypatch.setattr(plans, "clock", lambda *_: helper("clock"))
    monkeypatch.setattr(plans, "bridge", lambda *_: helper("bridge"))
    monkeypatch.setattr(plans, "worker", lambda _, token: helper("worker"))


async def start(bakery: Bakery) -> "asyncio.Task[None]":
    run = asyncio.create_task(bakery.run.main(began=0))
    helpers = {"worker works", "jobs works", "clock works", "bridge works"}
    helpers |= {"grpc works"} if bakery.plan.has_grpc else set()
    await eventually(lambda: helpers <= set(bakery.diary) or run.done())
    return run


async def test_web_serves_only_after_the_database_is_prepared(bakery: Bakery) -> None:
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert bakery.diary[:2] == ["prepared", "web serves"]


async def test_all_stop_in_reverse_order(bakery: Bakery) -> None:
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGINT)
    await within(run)
    stopped = ["worker stops", "bridge stops", "clock stops", "jobs stops", "grpc stops", "web stops"]
    assert bakery.diary[-6:] == stopped


async def test_the_banner_says_where_grpc_and_mcp_are(bakery: Bakery) -> None:
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert re.search(r"A2A by gRPC +127\.0\.0\.1:50051\n", bakery.banners[0])
    assert re.search(r"MCP +http://127\.0\.0\.1:9000/mcp\n", bakery.banners[0])


async def test_grpc_that_is_off_is_neither_started_nor_shown(bakery: Bakery) -> None:
    bakery.without_ports()
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert "grpc works" not in bakery.diary
    assert "gRPC" not in bakery.banners[0]
    assert f"{bakery.plan.url}/mcp\n" in bakery.banners[0]


async def test_the_banner_shows_the_first_login(bakery: Bakery) -> None:
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    banner = bakery.banners[0]
    assert "admin / sesame" in banner
    assert "ct_bread" in banner
    assert f"{bakery.plan.url}/.well-known/agent-card.json" in banner


async def test_later_banners_only_say_where_the_login_is(
    bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps(LOGIN | {"created": False})
    monkeypatch.setattr(plans, "prepare", lambda *_: shell(f"echo '{answer}'", name="prepare"))
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert "sesame" not in bakery.banners[0]
    assert "ct_bread" not in bakery.banners[0]
    assert str(bakery.plan.data_dir / "credentials.json") in bakery.banners[0]


async def test_a_failed_preparation_is_one_line_and_nothing_serves(
    bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "prepare", lambda *_: shell("echo the disk is full >&2; exit 1", name="prepare"))
    with pytest.raises(StartError, match="The database cannot be used: the disk is full") as caught:
        await within(bakery.run.main(began=0))
    assert "\n" not in str(caught.value)
    assert "web serves" not in bakery.diary


async def test_a_web_server_that_cannot_load_is_one_line(
    bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "web", lambda *_, **__: shell("echo ImportError: flour; exit 1", name="web"))
    monkeypatch.setattr(plans, "prepare", lambda *_: shell("exec sleep 600", name="prepare"))
    with pytest.raises(StartError, match="web process ended with exit code 1: ImportError: flour") as caught:
        await within(bakery.run.main(began=0))
    assert "\n" not in str(caught.value)


async def test_a_signal_during_the_start_ends_it(
    bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = shell(f"echo preparing >>{bakery.diary_file}; exec sleep 600", name="prepare")
    monkeypatch.setattr(plans, "prepare", lambda *_: slow)
    run = asyncio.create_task(bakery.run.main(began=0))
    await eventually(lambda: "preparing" in bakery.diary)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert "web serves" not in bakery.diary


async def test_a_second_signal_kills(bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = f"trap '' TERM; echo worker works >>{bakery.diary_file}; while :; do sleep 0.05; done"
    monkeypatch.setattr(plans, "worker", lambda *_: shell(deaf, name="worker", stop_timeout=600))
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGINT)
    await eventually(lambda: any("stopping" in line for line in bakery.console))
    os.kill(os.getpid(), signal.SIGINT)
    await within(run)


async def test_the_worker_restarts_on_request(bakery: Bakery) -> None:
    run = await start(bakery)
    os.kill(os.getpid(), signal.SIGUSR1)
    await eventually(lambda: bakery.diary.count("worker works") == 2)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert bakery.diary.count("jobs works") == 1


async def test_a_clock_that_dies_is_started_again(
    bakery: Bakery, shell: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = f"echo clock works >>{bakery.diary_file}; kill -KILL $$"
    monkeypatch.setattr(plans, "clock", lambda *_: shell(once, name="clock"))
    run = await start(bakery)
    await eventually(lambda: bakery.diary.count("clock works") > 1)
    os.kill(os.getpid(), signal.SIGTERM)
    await within(run)
    assert bakery.diary.count("jobs works") == 1
