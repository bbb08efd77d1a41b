"""A client of the whole product in this process: both lanes, behind the edge, as `httpx` sees them.

The product's database threads are replaced by one that shares the test's connection, so that a test sees what the
product wrote, and both end with the test's transaction. Tests of real concurrency use `real_api`.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core import signals
from django.db import close_old_connections

from apps.accounts.permissions import Role
from codetether.asgi import application
from tests.factories import Cast
from tests.one_connection import database_work_is_the_tests

DEADLINE_SECONDS = 20


class Api:
    """Synchronous calls into the ASGI application, as the bearer of `token`."""

    def __init__(self, token: str = "", runner: asyncio.Runner | None = None) -> None:
        self.token = token
        self.runner = runner or asyncio.Runner()

    def bearing(self, token: str) -> "Api":
        """The same client with another token (empty: none)."""
        return Api(token, self.runner)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self.runner.run(self.acall(method, path, **request))

    async def acall(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= request.pop("headers", {})
        transport = httpx.ASGITransport(app=application)  # type: ignore[arg-type]
        async with asyncio.timeout(DEADLINE_SECONDS):
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver", trust_env=False) as client:
                return await client.request(method, path, headers=headers, **request)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        return self.call("POST", path, json={} if body is None else body, **request)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.call("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.call("PATCH", path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.call("DELETE", path)


@pytest.fixture(scope="session")
def _runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def api(cast: Cast, _runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An operator's client, in the test's own transaction."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    with database_work_is_the_tests(_runner, monkeypatch):
        yield Api(cast.token(Role.OPERATOR), _runner)
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def admin(api: Api, cast: Cast) -> Api:
    """An admin's client; also a worker's, since admins may do what workers do."""
    return api.bearing(cast.token(Role.ADMIN))


@pytest.fixture
def real_api(cast: Cast, _runner: asyncio.Runner) -> Api:
    """An operator's client on the product's own threads and connections; for transactional tests."""
    return Api(cast.token(Role.OPERATOR), _runner)
