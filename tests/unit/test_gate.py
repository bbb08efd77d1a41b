"""The gate of the protocol lane: what becomes of requests that never arrive whole."""

import logging
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from apps.accounts.gate import unguarded

pytestmark = pytest.mark.asyncio


async def test_a_client_that_leaves_before_its_body_came_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    async def read(request: Request) -> Response:
        return Response(await request.body())

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    route = unguarded("/", read, methods=["POST"])
    await route.handle({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent[0]["status"] == 400
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
