"""The standard health service (grpc.health.v1), for probes: no token, and nothing told but a status.

The empty name is the process: it serves until it is about to end. The name of an A2A service is whether that can
work: the database answers.
"""

import asyncio
from typing import Any

import grpc
from django.db import Error, connection
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from apps.a2a.grpc.services import SERVICES
from apps.core.db import in_database
from apps.core.stopping import stopping

NAME = "grpc.health.v1.Health"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
LOOK_SECONDS = 5.0
"""How often a watched status is looked at again."""


def _describe() -> Any:
    """The published protocol, which is this small (grpc/health/v1/health.proto)."""
    file = descriptor_pb2.FileDescriptorProto(
        name="grpc/health/v1/health.proto", package="grpc.health.v1", syntax="proto3"
    )
    asked = file.message_type.add(name="HealthCheckRequest")
    asked.field.add(name="service", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL")
    told = file.message_type.add(name="HealthCheckResponse")
    kind = f".{file.package}.HealthCheckResponse.ServingStatus"
    told.field.add(name="status", number=1, type="TYPE_ENUM", label="LABEL_OPTIONAL", type_name=kind)
    values = told.enum_type.add(name="ServingStatus").value
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        values.add(name=name, number=number)
    methods = file.service.add(name="Health").method
    for name, streams in (("Check", False), ("Watch", True)):
        method = methods.add(name=name, server_streaming=streams)
        method.input_type, method.output_type = (f".{file.package}.{one.name}" for one in (asked, told))
    return descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


_POOL_FILE = _describe() or descriptor_pool.Default().FindFileByName("grpc/health/v1/health.proto")
Request: Any = GetMessageClass(_POOL_FILE.message_types_by_name["HealthCheckRequest"])
Response: Any = GetMessageClass(_POOL_FILE.message_types_by_name["HealthCheckResponse"])


async def status_of(service: str) -> int:
    """What the service is, now."""
    if service and service not in {one.full_name for one in SERVICES.values()}:
        return SERVICE_UNKNOWN
    if stopping.has_begun or (service and not await in_database(_database_answers)):
        return NOT_SERVING
    return SERVING


async def check(request: Any, context: Any) -> Message:
    found = await status_of(request.service)
    if found == SERVICE_UNKNOWN:
        await context.abort(grpc.StatusCode.NOT_FOUND, "There is no such service here.")
    answer: Message = Response(status=found)
    return answer


async def watch(request: Any, context: Any) -> None:
    """The status, and then its changes, until the process is about to end."""
    ended = asyncio.Event()
    told = 0
    with stopping.calling(ended.set):
        while True:
            found = await status_of(request.service)
            if found != told:
                await context.write(Response(status=found))
                told = found
            if ended.is_set():
                return
            await _either(ended, LOOK_SECONDS)


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def handler() -> grpc.GenericRpcHandler:
    methods = {
        "Check": grpc.unary_unary_rpc_method_handler(check, Request.FromString, Response.SerializeToString),
        "Watch": grpc.unary_stream_rpc_method_handler(watch, Request.FromString, Response.SerializeToString),
    }
    return grpc.method_handlers_generic_handler(NAME, methods)
