"""The web process ends while streams are open: killed, or asked to. Every client goes on where it was."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from apps.core.db import in_database
from apps.tasks.models import Task
from apps.tasks.services import task_message
from codetether import env
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TOKEN = {"authorization": "Bearer token-of-ci-for-tests"}
START_SECONDS = 40
DEADLINE = 30.0
NEW = "2026-07-28"
STREAMS = 20


class Web:
    """`python -m codetether.web` on a socket of ours, which stays open while the process comes and goes."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        gate, ours = os.pipe()
        os.close(ours)
        parameters: dict[str, Any] = connection.settings_dict
        database = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**parameters)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "codetether.web", f"--fd={self.listener.fileno()}", f"--gate-fd={gate}"],
            env=env.inherited(
                DATABASE_URL=database,
                A2A_REDIS_URL=settings.REDIS_URL,
                DJANGO_SETTINGS_MODULE="codetether.settings.test",
            ),
            pass_fds=(self.listener.fileno(), gate),
            stderr=subprocess.PIPE,
        )
        os.close(gate)
        return self.process

    def end(self, number: signal.Signals) -> tuple[float, str]:
        """(seconds until it was gone, what it had to say)."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=DEADLINE)
        return time.monotonic() - began, said.decode()


@pytest.fixture
def web(cast: Cast) -> Iterator[Web]:
    one = Web()
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)
    one.listener.close()


class Client:
    """Reads one stream for ever, comes back with the last id, and keeps what it was told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.last_id = ""
        self.told: list[tuple[str, int]] = []
        self.connections = 0
        self.proper_ends = 0

    async def run(self, http: httpx.AsyncClient) -> None:
        while True:
            try:
                async for event, data in self._events(http):
                    if event != "status" or "at" in data:  # all but what a codebase's stream begins with
                        self.told.append((data["task_id"], data["seq"]))
                self.proper_ends += 1
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)

    async def _events(self, http: httpx.AsyncClient) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        headers = TOKEN | ({"last-event-id": self.last_id} if self.last_id else {})
        async with http.stream("GET", self.url, headers=headers, timeout=START_SECONDS) as answer:
            assert answer.status_code == 200, await answer.aread()
            self.connections += 1
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    yield fields["event"], json.loads(fields["data"])
                fields = {}


async def until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


async def speak(cast: Cast, tasks: list[Task], turns: int) -> None:
    for turn in range(turns):
        for task in tasks:
            await in_database(
                task_message, workspace_id=cast.workspace.id, task_id=task.id, message=f"m{turn}", by="ada"
            )


def clients_of(web: Web, codebase_id: str, tasks: list[Task]) -> list[Client]:
    """Some of each kind of stream."""
    paths = [
        *(f"/v1/opencode/tasks/{task.id}/output/stream" for task in tasks * 2),
        *[f"/v1/opencode/codebases/{codebase_id}/events?from=start"] * 6,
        *["/v1/monitor/stream?from=start"] * 6,
    ]
    return [Client(web.url + path) for path in paths]


async def made(cast: Cast) -> tuple[str, list[Task]]:
    codebase = await in_database(cast.codebase)
    tasks = [await in_database(cast.task, f"t{number}", codebase_id=codebase.id) for number in range(4)]
    return codebase.id, tasks


async def test_nothing_is_lost_or_doubled_when_the_web_process_is_killed(cast: Cast, web: Web) -> None:
    codebase_id, tasks = await made(cast)
    clients = clients_of(web, codebase_id, tasks)
    assert len(clients) == STREAMS
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as http:
        running = [asyncio.create_task(client.run(http)) for client in clients]
        await until(lambda: all(client.told for client in clients), "every stream is open")
        speaking = asyncio.create_task(speak(cast, tasks, 30))
        await until(lambda: all(len(client.told) > 5 for client in clients), "every stream flows")
        web.process.kill()
        await asyncio.to_thread(web.process.communicate)
        await speaking
        web.start()
        await until(lambda: all(client.connections > 1 for client in clients), "every client came back")
        await speak(cast, tasks, 5)
        await until(lambda: all(is_complete(client, tasks, 36) for client in clients), "every client has everything")
        for one in running:
            one.cancel()
        await asyncio.wait(running)
    for client in clients:
        assert_told_once_in_order(client)


def is_complete(client: Client, tasks: list[Task], each: int) -> bool:
    """Whether the client has heard of the last event of every task that it watches."""
    watched = [str(task.id) for task in tasks if f"{task.id}" in client.url] or [str(task.id) for task in tasks]
    return {(task_id, each) for task_id in watched} <= set(client.told)


def assert_told_once_in_order(client: Client) -> None:
    assert max(Counter(client.told).values()) == 1, "doubled"
    for task_id in {task_id for task_id, _ in client.told}:
        seqs = [seq for one, seq in client.told if one == task_id]
        assert seqs == list(range(1, len(seqs) + 1)), "lost or out of order"


def waiting_calls(web: Web, http: httpx.AsyncClient) -> "list[asyncio.Task[httpx.Response]]":
    """Calls by MCP that wait for an agent's answer, in both eras and without a client."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    params = {"name": "send_message", "arguments": {"message": "Hello"}}
    about = {"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}}
    of_new = {"mcp-protocol-version": NEW, "mcp-method": "tools/call", "mcp-name": "send_message"}
    ways = [("/mcp/v1/rpc", {}, {}), ("/mcp", {}, {}), ("/mcp", {"_meta": about}, of_new)]
    return [
        asyncio.create_task(
            http.post(web.url + path, json=call | {"params": params | more}, headers=TOKEN | headers, timeout=DEADLINE)
        )
        for path, more, headers in ways
    ]


async def until_asked(count: int) -> None:
    """So many of these calls wait for what they have asked."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        asked = await in_database(Task.objects.filter(prompt="Hello").count)
        if asked == count:
            return
        assert time.monotonic() < deadline, f"{asked} calls of {count} are under way"
        await asyncio.sleep(0.05)


async def test_open_streams_end_properly_and_at_once_when_the_process_is_asked_to_stop(cast: Cast, web: Web) -> None:
    codebase_id, tasks = await made(cast)
    clients = clients_of(web, codebase_id, tasks)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as http:
        running = [asyncio.create_task(client.run(http)) for client in clients]
        calls = waiting_calls(web, http)
        await until(lambda: all(client.told for client in clients), "every stream is open")
        await until_asked(len(calls))
        seconds, said = await asyncio.to_thread(web.end, signal.SIGTERM)
        await until(lambda: all(client.proper_ends for client in clients), "every answer ended properly")
        answers = [(await call).json()["result"]["structuredContent"] for call in calls]
        for one in running:
            one.cancel()
        await asyncio.wait(running)
    assert [answer["settled"] for answer in answers] == [False] * len(answers), "told that the agent still works"
    assert seconds < 2
    assert "ERROR" not in said
    assert web.process.returncode in (0, -signal.SIGTERM)
