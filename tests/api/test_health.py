"""`/health` and `/health/ready`: what is wrong is named, and only what a probe does not ask for is forgiven."""

from typing import Any

import pytest

from apps.core.wakeups import hub
from codetether import health
from tests.api.conftest import Api

NOBODY = "redis://127.0.0.1:1"


@pytest.fixture
def redis_is_away(settings: Any) -> None:
    settings.REDIS_URL = NOBODY


def test_everything_is_there(api: Api) -> None:
    answer = api.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}


@pytest.mark.usefixtures("redis_is_away")
def test_without_redis_we_are_not_ready_and_say_what_waits(api: Api) -> None:
    answer = api.get("/health/ready")
    said = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (503, "unavailable", "not_ready")
    assert (said["checks"]["redis"], said["detail"]) == ("ConnectionError", "Not ready: redis.")
    assert said["degraded"].keys() == {"streams", "workers", "jobs"}


@pytest.mark.usefixtures("redis_is_away")
def test_probe_that_can_do_without_redis_finds_us_degraded(api: Api) -> None:
    answer = api.get("/health/ready", without="redis")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "code" not in answer.json()


def test_probe_that_can_do_without_redis_does_not_forgive_the_rest(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrations", lambda: "2 to apply")
    answer = api.get("/health/ready", without="redis")
    assert (answer.status_code, answer.json()["detail"]) == (503, "Not ready: migrations.")


@pytest.mark.parametrize("without", ["database", "migrations", "everything", "redis,database"])
def test_nothing_else_can_be_done_without(api: Api, without: str) -> None:
    assert api.get("/health/ready", without=without).status_code == 400


def test_a_process_without_streams_has_not_subscribed(api: Api) -> None:
    async def asked_anew() -> Any:
        await hub().close()
        return await api.acall("GET", "/health")

    assert api.runner.run(asked_anew()).json()["wakeups"] == "idle"


def test_a_process_with_streams_says_that_wakeups_arrive(api: Api) -> None:
    async def subscribed() -> Any:
        with hub().waiting("task:none"):
            await hub().connected.wait()
            return await api.acall("GET", "/v1/health")

    assert api.runner.run(subscribed()).json()["wakeups"] == "connected"
