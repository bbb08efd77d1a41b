"""Two web processes behind one port: a task belongs to neither, and either may die."""

import asyncio
import json
import os
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.contract.clients.hands import Hand, Held
from tests.contract.clients.site import own_database
from tests.e2e.plant import Plant, until
from tests.fakes.balancer import Balancer
from tests.fakes.control_plane import TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

LEASE_SECONDS = 30
SECONDS = 30.0
AT_ONCE_SECONDS = 2.0
"""Much less than a heartbeat of ten seconds, much more than it takes on a quiet machine."""
LAG_LIMIT_SECONDS = 0.25
WATCHERS = 6
Json = dict[str, Any]


class Pair:
    """Two processes of the product, `a` and `b`, and the balancer in front of them."""

    def __init__(self, a: Plant, b: Plant, front: Balancer) -> None:
        self.a, self.b, self.front = a, b, front

    def kill(self, dead: Plant, alive: Plant) -> None:
        self.front.route([port_of(alive)])
        dead.kill()

    def restart(self, dead: Plant) -> None:
        dead.restart()
        self.front.route([port_of(self.a), port_of(self.b)])


def port_of(plant: Plant) -> int:
    return urlsplit(plant.url).port or 0


@pytest.fixture(scope="module")
def pair(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    variables = {"A2A_CONFORMANCE": "true", "A2A_OUTBOUND_ALLOWED": "127.0.0.1", "A2A_GRPC_PORT": "0"}
    with ExitStack() as stack:
        database = stack.enter_context(own_database(f"replicas_{os.getpid()}", django_db_blocker))
        homes: list[Path] = [tmp_path_factory.mktemp(name) for name in ("a", "b")]
        a, b = (
            stack.enter_context(Plant(home, lease_seconds=LEASE_SECONDS, database=database, **variables))
            for home in homes
        )
        yield Pair(a, b, stack.enter_context(Balancer([port_of(a), port_of(b)])))


def call(plant: Plant, method: str, **params: Any) -> Json:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = plant.http.post("/a2a/jsonrpc", json=body, headers={"a2a-version": "1.0"}).json()
    assert "result" in answer, answer
    found: Json = answer["result"]
    return found


def message(text: str, *, agent: str = "", message_id: str = "", **more: Any) -> Json:
    metadata = {"metadata": {"target_agent": agent}} if agent else {}
    said = {"messageId": message_id or uuid.uuid4().hex, "role": "ROLE_USER", "parts": [{"text": text}]}
    return said | metadata | more


def sent(plant: Plant, text: str, **more: Any) -> Json:
    """The task of a message that is not waited for."""
    configuration = {"returnImmediately": True}
    return dict(call(plant, "SendMessage", message=message(text, **more), configuration=configuration)["task"])


def is_connected(plant: Plant) -> bool:
    return bool(plant.http.get("/health").json()["wakeups"] == "connected")


def test_both_listen_before_anybody_reads(pair: Pair) -> None:
    for plant in (pair.a, pair.b):
        until(lambda: is_connected(plant), "wake-ups arrive")  # noqa: B023 (called at once)


def test_every_operation_works_on_the_process_that_did_not_make_the_task(pair: Pair) -> None:
    hand = Hand(pair.a.http)
    task = sent(pair.a, "Paint it", agent=hand.role)
    task_id, context_id = task["id"], task["contextId"]
    held = hand.take()
    assert call(pair.b, "GetTask", id=task_id)["status"]["state"] == "TASK_STATE_WORKING"
    assert [one["id"] for one in call(pair.b, "ListTasks", contextId=context_id)["tasks"]] == [task_id]
    held.ask("Which colour?")
    call(pair.b, "SendMessage", message=message("Red", taskId=task_id), configuration={"returnImmediately": True})
    assert [said["message"] for said in held.messages()] == ["Red"]
    hook = {"taskId": task_id, "id": "c1", "url": "http://127.0.0.1:9/hook"}
    call(pair.b, "CreateTaskPushNotificationConfig", **hook)
    assert call(pair.a, "GetTaskPushNotificationConfig", taskId=task_id, id="c1")["url"] == hook["url"]
    call(pair.a, "DeleteTaskPushNotificationConfig", taskId=task_id, id="c1")
    assert not call(pair.b, "ListTaskPushNotificationConfigs", taskId=task_id).get("configs")
    assert call(pair.b, "CancelTask", id=task_id)["status"]["state"] == "TASK_STATE_CANCELED"
    assert call(pair.a, "GetTask", id=task_id)["status"]["state"] == "TASK_STATE_CANCELED"
    assert held.is_cancelled()


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_one_mcp_client_is_answered_by_both(pair: Pair, mode: str) -> None:
    """Every call by a connection of its own, so that the balancer takes turns."""
    with_token = {"authorization": f"Bearer {TOKEN}", "connection": "close"}
    async with (
        httpx2.AsyncClient(headers=with_token) as http,
        Client(streamable_http_client(f"{pair.front.url}/mcp", http_client=http), mode=mode) as client,
    ):
        made = await client.call_tool("create_task", {"title": "Paint it", "prompt": "Paint it"})
        task_id = made.structured_content["task_id"]
        asked = [client.call_tool("get_task", {"task_id": task_id}) for _ in range(10)]
        found = [answer.structured_content for answer in await asyncio.gather(*asked)]
        await client.call_tool("cancel_task", {"task_id": task_id})  # else a hand of another test takes it
    assert [one["status"] for one in found] == ["pending"] * 10


@pytest.mark.asyncio
async def test_a_send_that_waits_on_one_hears_the_end_that_came_to_the_other(pair: Pair) -> None:
    hand = Hand(pair.b.http)
    waiting = asyncio.create_task(
        asyncio.to_thread(call, pair.a, "SendMessage", message=message("Calculate", agent=hand.role))
    )
    held = await asyncio.to_thread(hand.take)
    began = time.monotonic()
    await asyncio.to_thread(held.finish, "100")
    task = (await waiting)["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert time.monotonic() - began < AT_ONCE_SECONDS


class Watcher:
    """A client that subscribes, comes back with the last id that it has heard, and keeps what it was told."""

    def __init__(self, url: str, task_id: str) -> None:
        self.url = url
        self.task_id = task_id
        self.last_id = ""
        self.ids: list[str] = []
        self.text = ""
        self.heard_at: dict[str, float] = {}
        self.connections = 0
        self.ended = False
        self.opened = asyncio.Event()

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            while not self.ended:
                try:
                    await self._connection(http)
                except httpx.TransportError:
                    await asyncio.sleep(0.02)

    async def _connection(self, http: httpx.AsyncClient) -> None:
        headers = {"authorization": f"Bearer {TOKEN}", "a2a-version": "1.0"}
        headers |= {"last-event-id": self.last_id} if self.last_id else {}
        body = {"jsonrpc": "2.0", "id": 1, "method": "SubscribeToTask", "params": {"id": self.task_id}}
        async with http.stream("POST", f"{self.url}/a2a/jsonrpc", json=body, headers=headers) as answer:
            self.connections += 1
            async for number, event in _events(answer):
                self._hear(number, event)

    def _hear(self, number: str, event: Json) -> None:
        self.opened.set()
        self.last_id = number
        self.ids.append(number)
        self.heard_at[number] = time.time()
        if update := event.get("artifactUpdate"):
            self.text += update["artifact"]["parts"][0]["text"]
        status = event.get("statusUpdate", {}).get("status", {})
        self.ended = self.ended or status.get("state") in ("TASK_STATE_COMPLETED", "TASK_STATE_CANCELED")


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Json]]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield fields["id"], json.loads(fields["data"])["result"]
        fields = {}


async def watching(url: str, task_id: str, count: int) -> tuple[list[Watcher], list[asyncio.Task[None]]]:
    """Watchers that have heard the beginning."""
    watchers = [Watcher(url, task_id) for _ in range(count)]
    running = [asyncio.create_task(watcher.run()) for watcher in watchers]
    for watcher in watchers:
        await asyncio.wait_for(watcher.opened.wait(), SECONDS)
    return watchers, running


async def speak(held: Held, words: list[str]) -> None:
    for word in words:
        await asyncio.to_thread(held.say, word)


@pytest.mark.asyncio
async def test_a_cancel_on_one_stops_what_was_begun_through_the_other_at_once(pair: Pair) -> None:
    worker = pair.a.worker("kit", conformance=True)
    message_id = f"test-resubscribe-message-id-{uuid.uuid4().hex}"
    task = sent(pair.a, "Work for five seconds", message_id=message_id)
    (watcher,), (running,) = await watching(pair.a.url, task["id"], 1)
    await asyncio.to_thread(until, lambda: "claimed task=" in worker.log, "the worker works")
    began = time.monotonic()
    await asyncio.to_thread(call, pair.b, "CancelTask", id=task["id"])
    async with asyncio.timeout(AT_ONCE_SECONDS):
        await running
    await asyncio.to_thread(until, lambda: "stopping task=" in worker.log, "the worker stops")
    assert time.monotonic() - began < AT_ONCE_SECONDS


@pytest.mark.asyncio
async def test_what_comes_to_one_is_heard_on_the_other_without_delay(pair: Pair) -> None:
    hand = Hand(pair.b.http)
    task = sent(pair.b, "Write", agent=hand.role)
    held = await asyncio.to_thread(hand.take)
    (watcher,), (running,) = await watching(pair.a.url, task["id"], 1)
    await speak(held, [f"{number} " for number in range(100)])
    await asyncio.to_thread(held.finish)
    await running
    log = pair.b.http.get(f"/v1/opencode/tasks/{task['id']}/events", params={"limit": 200}).json()["events"]
    made_at = {str(one["seq"]): datetime.fromisoformat(one["created_at"]).timestamp() for one in log}
    lags = [at - made_at[number] for number, at in watcher.heard_at.items() if number in made_at][1:]
    median = statistics.median(lags)
    print(f"event lag between two processes: p50 {median * 1000:.1f} ms, worst {max(lags) * 1000:.1f} ms")
    assert len(lags) >= 100
    assert median < LAG_LIMIT_SECONDS


@pytest.mark.asyncio
async def test_nobody_misses_anything_when_either_process_is_killed_in_mid_stream(pair: Pair) -> None:
    """The last test of the pair: `b` is dead afterwards."""
    hand = Hand(pair.a.http)
    task = sent(pair.a, "Write", agent=hand.role)
    held = await asyncio.to_thread(hand.take)
    watchers, running = await watching(pair.front.url, task["id"], WATCHERS)
    words = [f"{number} " for number in range(60)]
    for dead, alive, first in ((pair.a, pair.b, 0), (pair.b, pair.a, 30)):
        await speak(held, words[first : first + 10])
        hand.move(alive.http)
        speaking = asyncio.create_task(speak(held, words[first + 10 : first + 30]))
        pair.kill(dead, alive)
        await speaking
        if dead is pair.a:
            await asyncio.to_thread(pair.restart, dead)
    held.finish("".join(words))
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*running)
    assert [watcher.text for watcher in watchers] == ["".join(words)] * WATCHERS
    assert all(len(set(watcher.ids)) == len(watcher.ids) for watcher in watchers), "doubled"
    assert len({tuple(watcher.ids) for watcher in watchers}) == 1, "not all in the same order"
    assert sum(watcher.connections for watcher in watchers) > WATCHERS, "nobody was cut off"
