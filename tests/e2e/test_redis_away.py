"""Valkey is stopped under a running web process: work goes on, streams poll, health says so, and all is well after."""

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.tasks.services import Claim, event_from_worker, task_progress
from codetether.embedded import Services, launcher
from tests.e2e.plant import Plant, until
from tests.factories import Cast

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Watcher:
    """A client of a task's stream on a thread of its own; `kinds` grows as events come."""

    def __init__(self, plant: Plant, task_id: str) -> None:
        self.seqs: list[int] = []
        self.events: list[str] = []
        self.ended = threading.Event()
        self._url = f"/v1/opencode/tasks/{task_id}/output/stream"
        self._plant = plant
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with self._plant.http.stream("GET", self._url, timeout=httpx.Timeout(60)) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    self.events.append(line.removeprefix("event: "))
                elif line.startswith("data: ") and "seq" in line:
                    self.seqs.append(json.loads(line.removeprefix("data: "))["seq"])
        self.ended.set()


class Valkey:
    """A server that a test stops and starts again, at the same address."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.services: Services = launcher.start(home, durable=False, needs={"valkey"})

    def stop(self) -> None:
        self.services.stop()

    def start(self) -> None:
        url = self.services.redis_url
        self.services = launcher.start(self._home, durable=False, needs={"valkey"})
        assert self.services.redis_url == url


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    one = Valkey(tmp_path / "valkey")
    yield one
    one.stop()


@pytest.fixture
def plant(cast: Cast, valkey: Valkey, tmp_path: Path, settings: Any) -> Iterator[Plant]:
    settings.REDIS_URL = valkey.services.redis_url
    home = tmp_path / "plant"
    home.mkdir()
    with Plant(home, lease_seconds=60) as one:
        one.post("/v1/opencode/workers/register", {"worker_id": "w1", "name": "Hopper", "global_codebase_id": "g"})
        yield one


def wakeups_are(plant: Plant, state: str) -> bool:
    return bool(plant.http.get("/health").json()["wakeups"] == state)


def report_elsewhere(cast: Cast, claim: dict[str, Any]) -> None:
    """Written by another process than the one that serves the stream, so only a wake-up or the poll can tell it."""
    held = Claim(cast.workspace.id, uuid.UUID(claim["id"]), uuid.UUID(claim["claim_token"]))
    task_progress(claim=held, reported=[event_from_worker("output", {"content": "hi"})], seqs=[1])


def claimed(plant: Plant, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = plant.post("/v1/worker/tasks/claim", {"worker_id": "w1", "task_id": task_id})["task"]
    return found


def finish(plant: Plant, claim: dict[str, Any]) -> None:
    body = {"task_id": claim["id"], "claim_token": claim["claim_token"], "worker_id": "w1", "status": "completed"}
    plant.post("/v1/worker/tasks/release", body)


def test_work_goes_on_without_redis_and_health_says_how(cast: Cast, plant: Plant, valkey: Valkey) -> None:
    before = Watcher(plant, plant.create("before"))
    until(lambda: wakeups_are(plant, "connected") and before.events, "the stream is open and wake-ups arrive")
    valkey.stop()
    until(lambda: wakeups_are(plant, "polling"), "health says that streams poll")
    ready = plant.http.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["redis"]) == (503, "ConnectionError")
    assert plant.http.get("/health/ready?without=redis").json()["status"] == "degraded"

    task_id = plant.create("while Redis is away")
    watcher = Watcher(plant, task_id)
    claim = claimed(plant, task_id)
    report_elsewhere(cast, claim)
    until(lambda: watcher.seqs == [1, 2, 3], "the open stream has the output")
    finish(plant, claim)
    assert watcher.ended.wait(20)
    assert (watcher.seqs, watcher.events[-1]) == ([1, 2, 3, 4], "complete")

    valkey.start()
    until(lambda: wakeups_are(plant, "connected"), "wake-ups arrive again")
    assert plant.http.get("/health/ready").status_code == 200
    finish(plant, claimed(plant, before._url.split("/")[4]))
    assert before.ended.wait(20)
    assert before.seqs == [1, 2, 3]
