"""The real gRPC server on a loopback port of the test's own loop, and callers with their tokens."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from django.conf import settings

from apps.a2a.grpc.server import make_server
from apps.core.wakeups import hub
from tests.api.a2a.client import Hand
from tests.api.a2a.grpc.caller import GrpcCaller
from tests.factories import Cast


@pytest_asyncio.fixture
async def address(transactional_db: None, cast: Cast) -> AsyncIterator[str]:
    """The server's `host:port`."""
    server, port = make_server("127.0.0.1", 0)
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(1)
    await hub().close()


@pytest_asyncio.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def ada(channel: grpc.aio.Channel) -> GrpcCaller:
    """A caller with CI's token."""
    return GrpcCaller(channel, settings.A2A_AUTH_TOKENS["ci"])


@pytest.fixture
def hand(address: str, cast: Cast) -> Hand:
    return Hand(cast)
