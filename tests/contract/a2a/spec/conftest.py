"""The specification's examples are told to the product in every binding that speaks their version."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from django.conf import settings

from apps.a2a.grpc.server import make_server
from apps.core.wakeups import hub
from tests.api.a2a.client import Caller, Hand
from tests.api.a2a.grpc.caller import GrpcCaller
from tests.api.a2a.rest_client import RestCaller
from tests.contract.a2a.spec.bindings import Grpc, JsonRpc, Rest, Speaker
from tests.contract.a2a.spec.old_bindings import OldGrpc, OldJsonRpc, OldRest, OldRestByDefinition
from tests.factories import Cast


@pytest_asyncio.fixture
async def ada(transactional_db: None, cast: Cast) -> AsyncIterator[Caller]:
    caller = Caller(settings.A2A_AUTH_TOKENS["ci"])
    yield caller
    await caller.http.aclose()
    await hub().close()


@pytest_asyncio.fixture
async def rest(ada: Caller) -> AsyncIterator[RestCaller]:
    caller = RestCaller(settings.A2A_AUTH_TOKENS["ci"])
    yield caller
    await caller.http.aclose()


@pytest_asyncio.fixture
async def by_grpc(ada: Caller) -> AsyncIterator[GrpcCaller]:
    server, port = make_server("127.0.0.1", 0)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield GrpcCaller(channel, settings.A2A_AUTH_TOKENS["ci"])
    await server.stop(1)


@pytest.fixture
def hand(ada: Caller, cast: Cast) -> Hand:
    return Hand(cast)


@pytest_asyncio.fixture(params=["JSON-RPC", "REST", "gRPC"])
async def binding(request: pytest.FixtureRequest, ada: Caller, rest: RestCaller, by_grpc: GrpcCaller) -> Speaker:
    """Each binding of 1.0."""
    return {"JSON-RPC": JsonRpc(ada), "REST": Rest(rest), "gRPC": Grpc(by_grpc)}[request.param]


@pytest_asyncio.fixture(params=["JSON-RPC", "REST", "REST by definition", "gRPC"])
async def old_binding(request: pytest.FixtureRequest, ada: Caller, rest: RestCaller, by_grpc: GrpcCaller) -> Speaker:
    """Each binding of 0.3."""
    speakers: dict[str, Speaker] = {
        "JSON-RPC": OldJsonRpc(ada),
        "REST": OldRest(rest),
        "REST by definition": OldRestByDefinition(rest),
        "gRPC": OldGrpc(by_grpc),
    }
    return speakers[request.param]
