"""A caller of both gRPC services by their plain stubs, which send exactly what a test says."""

import uuid
from collections.abc import Awaitable
from typing import Any

import grpc
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc as old_grpc
from a2a.types import a2a_pb2 as new
from a2a.types import a2a_pb2_grpc as new_grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

PATIENCE = 8.0

Metadata = tuple[tuple[str, str], ...]


class GrpcCaller:
    """`new` and `old` are the stubs of 1.0 and 0.3; `sent` goes along with every call that is made by `call`."""

    def __init__(self, channel: grpc.aio.Channel, token: str = "", *sent: tuple[str, str]) -> None:
        self.channel = channel
        self.sent: Metadata = ((("authorization", f"Bearer {token}"),) if token else ()) + sent
        self.new = new_grpc.A2AServiceStub(channel)
        self.old = old_grpc.A2AServiceStub(channel)

    def call(self, method: Any, request: Any, *sent: tuple[str, str]) -> Any:
        """The call, under way; await it, or read its stream."""
        return method(request, metadata=(*self.sent, *sent), timeout=PATIENCE)

    async def send(self, text: str = "Calculate 25 * 4", **message: Any) -> new.Task:
        """The task of a message that nobody waits for."""
        answer = await self.call(self.new.SendMessage, saying(text, at_once=True, **message))
        return answer.task

    async def send_old(self, text: str = "Calculate 25 * 4", **message: Any) -> old.Task:
        answer = await self.call(self.old.SendMessage, saying_of_old(text, at_once=True, **message))
        return answer.task

    async def get(self, task_id: str) -> new.Task:
        return await self.call(self.new.GetTask, new.GetTaskRequest(id=task_id))


def saying(text: str, *, at_once: bool = False, **message: Any) -> new.SendMessageRequest:
    said = {"role": new.ROLE_USER, "message_id": uuid.uuid4().hex, "parts": [new.Part(text=text)]} | message
    configuration = new.SendMessageConfiguration(return_immediately=at_once)
    return new.SendMessageRequest(message=new.Message(**said), configuration=configuration)


def saying_of_old(text: str, *, at_once: bool = False, **message: Any) -> old.SendMessageRequest:
    said = {"role": old.ROLE_USER, "message_id": uuid.uuid4().hex, "content": [old.Part(text=text)]} | message
    configuration = old.SendMessageConfiguration(blocking=not at_once)
    return old.SendMessageRequest(request=old.Message(**said), configuration=configuration)


class Refused:
    """What a refused call ended with."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.message = error.details() or ""
        self.trailing = {name: value for name, value in error.trailing_metadata() or ()}
        self.status = Status.FromString(self.trailing.get("grpc-status-details-bin", b""))

    @property
    def info(self) -> ErrorInfo:
        return self._detail(ErrorInfo())

    @property
    def fields(self) -> list[str]:
        return [violation.field for violation in self._detail(BadRequest()).field_violations]

    def _detail(self, into: Any) -> Any:
        for detail in self.status.details:
            if detail.Is(into.DESCRIPTOR):
                detail.Unpack(into)
        return into


async def refused(call: Awaitable[Any] | Any) -> Refused:
    """How the call was refused; fails where it was answered."""
    try:
        found = [one async for one in call] if hasattr(call, "__aiter__") else await call
    except grpc.aio.AioRpcError as error:
        return Refused(error)
    raise AssertionError(f"answered: {found}")


async def first(stream: Any) -> Any:
    """The first message of a stream, which the test goes on reading."""
    return await anext(aiter(stream))
