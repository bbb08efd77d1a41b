"""One way to speak in every binding of a version: requests as the specification writes them, answers as 1.0's types.

Each answer is first parsed by the types of the version and binding that it came in, and by nothing more lenient:
1.0 by its protobuf definition, 0.3 by the SDK's models (which must write it again as it was) or its own definition.
Methods go by their names in 1.0. A binding is a `Speaker`; 0.3's are in `old_bindings.py`.
"""

from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from a2a.client.card_resolver import parse_agent_card
from a2a.types import a2a_pb2 as v1
from a2a.utils.errors import A2A_REASON_TO_ERROR, JSON_RPC_ERROR_CODE_MAP
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from tests.api.a2a.client import Caller
from tests.api.a2a.grpc.caller import GrpcCaller, refused
from tests.api.a2a.rest_client import RestCaller

Json = dict[str, Any]

REQUESTS: dict[str, type[Message]] = {
    "SendMessage": v1.SendMessageRequest,
    "SendStreamingMessage": v1.SendMessageRequest,
    "GetTask": v1.GetTaskRequest,
    "ListTasks": v1.ListTasksRequest,
    "CancelTask": v1.CancelTaskRequest,
    "SubscribeToTask": v1.SubscribeToTaskRequest,
    "CreateTaskPushNotificationConfig": v1.TaskPushNotificationConfig,
    "GetTaskPushNotificationConfig": v1.GetTaskPushNotificationConfigRequest,
    "ListTaskPushNotificationConfigs": v1.ListTaskPushNotificationConfigsRequest,
    "DeleteTaskPushNotificationConfig": v1.DeleteTaskPushNotificationConfigRequest,
    "GetExtendedAgentCard": v1.GetExtendedAgentCardRequest,
}
ANSWERS: dict[str, type[Message]] = {
    "SendMessage": v1.SendMessageResponse,
    "GetTask": v1.Task,
    "ListTasks": v1.ListTasksResponse,
    "CancelTask": v1.Task,
    "CreateTaskPushNotificationConfig": v1.TaskPushNotificationConfig,
    "GetTaskPushNotificationConfig": v1.TaskPushNotificationConfig,
    "ListTaskPushNotificationConfigs": v1.ListTaskPushNotificationConfigsResponse,
}
NAMES = {code: kind.__name__ for kind, code in JSON_RPC_ERROR_CODE_MAP.items()}


class Speaker(Protocol):
    """`typed`: what has the wrong type, or is no field at all, cannot be said in this binding."""

    typed: bool

    async def answer(self, method: str, params: Json) -> Any:
        """The answer as 1.0's message; nothing for a deleted configuration."""

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        """All events of a stream that ends."""

    async def refusal(self, method: str, params: Json) -> str:
        """The name of the error that the call ends with."""


def parsed(method: str, answer: Json) -> Any:
    """An answer of 1.0 by its definition, which refuses what it does not have."""
    if method == "GetExtendedAgentCard":
        return parse_agent_card(answer)  # it holds 0.3's fields beside 1.0's, for clients of both
    if method == "DeleteTaskPushNotificationConfig":
        assert answer == {}
        return None
    return ParseDict(answer, ANSWERS[method]())


class JsonRpc:
    typed = False

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def answer(self, method: str, params: Json) -> Any:
        return parsed(method, await self.caller.result(method, params))

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        return [ParseDict(event, v1.StreamResponse()) for _, event in await self.caller.stream(method, params)]

    async def refusal(self, method: str, params: Json) -> str:
        error = (await self.caller.call(method, params))["error"]
        info = error["data"][0]
        assert (info["@type"], info["domain"]) == ("type.googleapis.com/google.rpc.ErrorInfo", "a2a-protocol.org")
        return NAMES[error["code"]]


class Rest:
    typed = False

    def __init__(self, caller: RestCaller) -> None:
        self.caller = caller

    async def answer(self, method: str, params: Json) -> Any:
        response = await self.ask(method, params)
        assert response.status_code == 200, response.text
        return parsed(method, response.json())

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        verb, path, body = asked(method, params)
        return [ParseDict(event, v1.StreamResponse()) for _, event in await self.caller.stream(verb, path, body)]

    async def refusal(self, method: str, params: Json) -> str:
        response = await self.ask(method, params)
        error = response.json()["error"]
        assert error["code"] == response.status_code
        return A2A_REASON_TO_ERROR[error["details"][0]["reason"]].__name__

    async def ask(self, method: str, params: Json) -> httpx.Response:
        return await self.caller.ask(*asked(method, params))


def asked(method: str, params: Json) -> tuple[str, str, Json | None]:
    """(verb, path, body) of a call in 1.0's REST binding (§11.3)."""
    rest = dict(params)
    if method in ("SendMessage", "SendStreamingMessage"):
        return "POST", "/message:send" if method == "SendMessage" else "/message:stream", rest
    if method in ("GetTask", "CancelTask", "SubscribeToTask"):
        path = f"/tasks/{rest.pop('id')}"
        if method == "GetTask":
            return "GET", f"{path}?{urlencode(rest)}", None
        return "POST", f"{path}:{'cancel' if method == 'CancelTask' else 'subscribe'}", rest or None
    if method == "ListTasks":
        shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in rest.items()}
        return "GET", f"/tasks?{urlencode(shown)}", None
    if method == "GetExtendedAgentCard":
        return "GET", "/extendedAgentCard", None
    path = f"/tasks/{rest.pop('taskId')}/pushNotificationConfigs"
    if method == "CreateTaskPushNotificationConfig":
        return "POST", path, rest
    if method == "ListTaskPushNotificationConfigs":
        return "GET", f"{path}?{urlencode(rest)}", None
    return ("DELETE" if method.startswith("Delete") else "GET"), f"{path}/{rest.pop('id')}", None


class Grpc:
    typed = True

    def __init__(self, caller: GrpcCaller) -> None:
        self.caller = caller

    async def answer(self, method: str, params: Json) -> Any:
        return await self._call(method, params)

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        return [event async for event in self._call(method, params)]

    async def refusal(self, method: str, params: Json) -> str:
        return A2A_REASON_TO_ERROR[(await refused(self._call(method, params))).info.reason].__name__

    def _call(self, method: str, params: Json) -> Any:
        return self.caller.call(getattr(self.caller.new, method), ParseDict(params, REQUESTS[method]()))
