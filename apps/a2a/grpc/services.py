"""A2A's two gRPC services, 1.0's and 0.3's, on the SDK's handlers, with their defects mended.

- Errors reach `apps/a2a/grpc/calls.py` as they are: the SDK knows only some, without all of their details.
- 0.3: a role that is not given is the user's; a send without a configuration waits, as in the other bindings; the
  content of a file may be bytes as they are, and not only base64 text as the SDK's own clients put it there, and a
  file without any is refused; a push config has the id that its request gives it.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import google.rpc.error_details_pb2  # the types of errors' details, for protobuf's registry
import grpc
from a2a.compat.v0_3 import a2a_v0_3_pb2
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.types import a2a_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from apps.a2a.grpc.calls import CurrentCall, Rpc
from apps.a2a.handler import TaskRequestHandler
from apps.a2a.incoming import wrong
from apps.a2a.operations import NEW, OLD

assert google.rpc.error_details_pb2.DESCRIPTOR

SERVICES: dict[str, ServiceDescriptor] = {
    NEW: a2a_pb2.DESCRIPTOR.services_by_name["A2AService"],
    OLD: a2a_v0_3_pb2.DESCRIPTOR.services_by_name["A2AService"],
}
"""The service of each version."""


class _Service(GrpcHandler):
    async def abort_context(self, error: Exception, context: Any) -> NoReturn:
        raise error


class _OldService(CompatGrpcHandler):
    async def abort_context(self, error: Exception, context: Any) -> NoReturn:
        raise error


def handlers() -> list[grpc.GenericRpcHandler]:
    """Both services, for a server."""
    ours = TaskRequestHandler()
    return [_handlers(NEW, _Service(ours, CurrentCall())), _handlers(OLD, _OldService(ours, CurrentCall()))]


def _handlers(version: str, servicer: object) -> grpc.GenericRpcHandler:
    service = SERVICES[version]
    methods = {method.name: _handler(version, method, servicer) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _handler(version: str, method: MethodDescriptor, servicer: object) -> grpc.RpcMethodHandler:
    """Requests come undecoded, see `apps/a2a/grpc/calls.py`."""
    request = GetMessageClass(method.input_type)
    rpc = Rpc(version, request, getattr(servicer, method.name), MENDS.get(request))
    encode = GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(rpc.stream, None, encode)
    return grpc.unary_unary_rpc_method_handler(rpc.answer, None, encode)


def _mend_send(request: Any) -> None:
    message = request.request
    if message.role == a2a_v0_3_pb2.ROLE_UNSPECIFIED:
        message.role = a2a_v0_3_pb2.ROLE_USER
    if not request.HasField("configuration"):
        request.configuration.blocking = True
    for index, part in enumerate(message.content):
        if part.HasField("file") and part.file.WhichOneof("file") is None:
            raise wrong(f"request.content[{index}].file", "A file has either its content or its address.")
        if part.file.HasField("file_with_bytes") and not _is_base64(part.file.file_with_bytes):
            part.file.file_with_bytes = base64.b64encode(part.file.file_with_bytes)


def _is_base64(content: bytes) -> bool:
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        return False
    return True


def _mend_config(request: Any) -> None:
    """The definition has the id beside the config; the SDK's own clients give it in both places."""
    config = request.config.push_notification_config
    config.id = config.id or request.config_id


MENDS: Mapping[type, Callable[[Any], None]] = {
    a2a_v0_3_pb2.SendMessageRequest: _mend_send,
    a2a_v0_3_pb2.CreateTaskPushNotificationConfigRequest: _mend_config,
}
