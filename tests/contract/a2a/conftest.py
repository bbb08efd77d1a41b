"""The official Python client against the product on a loopback port, once for each protocol version that it speaks."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
import uvicorn
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import AgentCard
from django.conf import settings

from apps.core.wakeups import hub
from codetether.asgi import application
from tests.api.a2a.client import Hand
from tests.factories import Cast


class Server(uvicorn.Server):
    """On the test's own loop; signals are pytest's."""

    def capture_signals(self):
        return _nothing()


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest_asyncio.fixture
async def address(transactional_db: None, cast: Cast) -> AsyncIterator[str]:
    """The product's URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(application, lifespan="off", log_level="warning", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    await hub().close()


@pytest_asyncio.fixture
async def http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {settings.A2A_AUTH_TOKENS['ci']}"}
    async with httpx.AsyncClient(headers=headers, timeout=10) as client:
        yield client


@pytest_asyncio.fixture
async def card(http: httpx.AsyncClient, address: str) -> AgentCard:
    """The card as the client discovers it."""
    return await A2ACardResolver(http, address).get_agent_card()


@pytest_asyncio.fixture(params=["1.0", "0.3"])
async def factory(request: pytest.FixtureRequest, card: AgentCard, http: httpx.AsyncClient) -> "MakeClient":
    """Makes clients that know one version only."""
    known = [one for one in card.supported_interfaces if one.protocol_version == request.param]
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(known)
    return MakeClient(card, http)


class MakeClient:
    def __init__(self, card: AgentCard, http: httpx.AsyncClient) -> None:
        self.card = card
        self.http = http

    def __call__(self, *, streaming: bool = False, polling: bool = False) -> Client:
        config = ClientConfig(streaming=streaming, polling=polling, httpx_client=self.http)
        return ClientFactory(config).create(self.card)


@pytest.fixture
def hand(address: str, cast: Cast) -> Hand:
    return Hand(cast)
