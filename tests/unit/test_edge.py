"""What holds before either lane sees a request."""

import asyncio
from typing import Any

import httpx
import pytest

from apps.accounts.gate import json_response
from codetether.edge import Edge


async def inner(scope: Any, receive: Any, send: Any) -> None:
    await json_response({"reached": True})(scope, receive, send)


def get(path: str, host: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=Edge(inner))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path, headers={"Host": host})

    return asyncio.run(ask())


@pytest.fixture
def named(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["codetether.example.org", "[::1]"]


@pytest.mark.parametrize("host", ["codetether.example.org", "codetether.example.org:8000", "[::1]:8000"])
def test_our_own_names_are_served(named: None, host: str) -> None:
    assert get("/v1/opencode/tasks", host).json() == {"reached": True}


@pytest.mark.parametrize("host", ["evil.example", "codetether.example.org.evil.example", "", "localhost@evil"])
def test_other_names_reach_nothing(named: None, host: str) -> None:
    answer = get("/v1/opencode/tasks", host)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


def test_probes_know_only_an_address(named: None) -> None:
    assert get("/health", "10.0.0.7:8000").status_code == 200
