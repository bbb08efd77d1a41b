"""Calls for the matrix: straight into the product's application, without what a client costs.

A call that is refused reads no body, so all that matters of an answer is its status.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from grpc import HandlerCallDetails

from apps.a2a.grpc.services import SERVICES, handlers
from codetether.asgi import application

SECONDS = 10.0


async def http(method: str, path: str, token: str = "", body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """(status, body) of one request; a stream is left when it begins."""
    path, _, query = path.partition("?")
    sent = {"host": "testserver", "content-type": "application/json", **headers}
    if token:
        sent["authorization"] = f"Bearer {token}"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    answer, left = Answer(), asyncio.Event()
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Mapping[str, Any]:
        for message in given:
            return message
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        answer.take(message)
        if answer.streams:
            left.set()

    async with asyncio.timeout(SECONDS):
        await application(scope, receive, send)
    return answer.status, answer.body


class Answer:
    """What has come back so far."""

    def __init__(self) -> None:
        self.status, self.body, self.streams = 0, b"", False

    def take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.streams = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
        self.body += message.get("body", b"")


async def websocket(path: str, token: str, frame: str = "{}") -> int:
    """The code with which a socket is closed once it has sent its first frame; 0 where it is let in."""
    headers = [(b"host", b"testserver"), *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": headers, "subprotocols": [],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    inbox: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    inbox.put_nowait({"type": "websocket.receive", "text": frame})
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] in ("websocket.close", "websocket.send") and not ended.done():
            ended.set_result(message.get("code", 0))
            inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async with asyncio.timeout(SECONDS):
        await application(scope, inbox.get, send)
        return await ended


# gRPC ----------------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """A call was ended with a status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code)
        self.code = code


class _Context:
    """What the service sees of a call (grpc.aio.ServicerContext), and no wire."""

    def __init__(self, token: str) -> None:
        self._sent = (("authorization", f"Bearer {token}"),) if token else ()

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._sent

    async def send_initial_metadata(self, metadata: object) -> None:
        pass

    def set_trailing_metadata(self, metadata: object) -> None:
        pass

    async def write(self, message: object) -> None:
        raise Refused(grpc.StatusCode.OK)

    async def abort(self, code: grpc.StatusCode, details: str = "") -> None:
        raise Refused(code)


class _Details(HandlerCallDetails):  # type: ignore[misc]
    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()


def grpc_methods() -> list[tuple[str, str]]:
    """(path, method) of both services."""
    return [(f"/{one.full_name}/{method.name}", method.name) for one in SERVICES.values() for method in one.methods]


def _request(path: str, task: str) -> bytes:
    """One that is not refused for itself: it names the task in the way of its version."""
    service, name = path[1:].split("/")
    (method,) = [one.methods_by_name[name] for one in SERVICES.values() if one.full_name == service]
    is_of_config = "PushNotificationConfig" in name
    named = f"tasks/{task}/pushNotificationConfigs/c" if is_of_config else f"tasks/{task}"
    given = {
        "name": named,
        "parent": f"tasks/{task}",
        "config_id": "c",
        "task_id": task,
        "url": "https://93.184.216.34",
    }
    fields = method.input_type.fields_by_name
    said = {field: value for field, value in given.items() if field in fields}
    if "id" in fields:
        said["id"] = "c" if is_of_config else task
    request = GetMessageClass(method.input_type)(**said)
    if "config" in fields:
        request.config.push_notification_config.url = given["url"]
    return bytes(request.SerializeToString())


async def by_grpc(path: str, token: str, task: str) -> grpc.StatusCode:
    """The status of a call that names the task, where its method takes one."""
    found = [handler for one in handlers() if (handler := one.service(_Details(path))) is not None]
    serve = found[0].unary_unary or found[0].unary_stream
    try:
        async with asyncio.timeout(SECONDS):
            await serve(_request(path, task), _Context(token))
    except Refused as refused:
        return refused.code
    return grpc.StatusCode.OK
