"""What a gRPC server has beside its services: reflection, health, and an orderly end."""

import asyncio
from typing import Any

import grpc
import pytest
from a2a.types import a2a_pb2 as new
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from apps.a2a.grpc import health
from apps.a2a.grpc.server import CannotListenError, make_server
from apps.core.stopping import stopping
from apps.core.wakeups import hub
from tests.api.a2a.client import Hand
from tests.api.a2a.grpc.caller import PATIENCE, GrpcCaller, first, refused

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
NEW_NAME, OLD_NAME = "lf.a2a.v1.A2AService", "a2a.v1.A2AService"


def watch(channel: grpc.aio.Channel, method: str, service: str) -> Any:
    make = channel.unary_stream if method == "Watch" else channel.unary_unary
    stub = make(f"/{health.NAME}/{method}", health.Request.SerializeToString, health.Response.FromString)
    return stub(health.Request(service=service), timeout=PATIENCE)


async def test_reflection_names_the_services_and_their_types(channel: grpc.aio.Channel) -> None:
    asked = [ServerReflectionRequest(list_services=""), ServerReflectionRequest(file_containing_symbol=NEW_NAME)]
    names, file = [answer async for answer in ServerReflectionStub(channel).ServerReflectionInfo(iter(asked))]
    listed = {one.name for one in names.list_services_response.service}
    assert listed >= {NEW_NAME, OLD_NAME, health.NAME}
    assert b"SendStreamingMessage" in file.file_descriptor_response.file_descriptor_proto[0]


@pytest.mark.parametrize("service", ["", NEW_NAME, OLD_NAME])
async def test_health_needs_no_token(channel: grpc.aio.Channel, service: str) -> None:
    assert (await watch(channel, "Check", service)).status == health.SERVING


async def test_health_of_an_unknown_service(channel: grpc.aio.Channel) -> None:
    assert (await refused(watch(channel, "Check", "bakery"))).code == grpc.StatusCode.NOT_FOUND


async def test_a_service_without_a_database_does_not_serve(
    channel: grpc.aio.Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_database_answers", lambda: False)
    assert (await watch(channel, "Check", NEW_NAME)).status == health.NOT_SERVING
    assert (await watch(channel, "Check", "")).status == health.SERVING


async def test_a_watcher_hears_of_the_end(channel: grpc.aio.Channel) -> None:
    watching = watch(channel, "Watch", "")
    assert (await first(watching)).status == health.SERVING
    stopping.begin()
    try:
        assert [answer.status async for answer in watching] == [health.NOT_SERVING]
    finally:
        stopping.has_begun = False


async def test_a_client_that_goes_away_leaves_nothing_behind(ada: GrpcCaller) -> None:
    task = await ada.send()
    readers = hub()._waiters
    streams = [ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id)) for _ in range(20)]
    for stream in streams:
        await first(stream)
    await eventually(lambda: len(readers.get(f"task:{task.id}", ())) == 20)
    for stream in streams:
        stream.cancel()
    await eventually(lambda: f"task:{task.id}" not in readers)


async def test_a_slow_reader_holds_up_nobody(ada: GrpcCaller, hand: Hand) -> None:
    task = await ada.send()
    slow = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id))
    quick = ada.call(ada.new.SubscribeToTask, new.SubscribeToTaskRequest(id=task.id))
    await eventually(lambda: len(hub()._waiters.get(f"task:{task.id}", ())) == 2)
    claim = await hand.take()
    for _ in range(40):
        await hand.say(claim, ("output", {"content": "x" * 100_000}))
    await hand.finish(claim, "done")
    heard = [event async for event in quick]
    assert len(heard) == len([event async for event in slow])


async def test_a_port_that_is_taken_is_said(address: str) -> None:
    with pytest.raises(CannotListenError, match=f"Cannot listen on {address}"):
        make_server("127.0.0.1", int(address.rpartition(":")[2]))


async def eventually(true: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 (nothing tells the outside)
            await asyncio.sleep(0.01)
