"""The bindings of 0.3: asked in its own words, answered in what its own types read, told as 1.0's types."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from a2a.compat.v0_3 import a2a_v0_3_pb2 as v03
from a2a.compat.v0_3 import conversions, types
from a2a.compat.v0_3.proto_utils import FromProto, ToProto
from a2a.types import a2a_pb2 as v1
from a2a.utils.errors import A2A_REASON_TO_ERROR
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from tests.api.a2a.client import Caller
from tests.api.a2a.grpc.caller import GrpcCaller, refused
from tests.api.a2a.rest_client import RestCaller
from tests.contract.a2a.spec.bindings import NAMES, Json

OLD_METHODS: dict[str, tuple[str, Any]] = {
    "SendMessage": ("message/send", types.SendMessageResponse),
    "SendStreamingMessage": ("message/stream", types.SendStreamingMessageResponse),
    "GetTask": ("tasks/get", types.GetTaskResponse),
    "CancelTask": ("tasks/cancel", types.CancelTaskResponse),
    "SubscribeToTask": ("tasks/resubscribe", types.SendStreamingMessageResponse),
    "CreateTaskPushNotificationConfig": (
        "tasks/pushNotificationConfig/set", types.SetTaskPushNotificationConfigResponse,
    ),
    "GetTaskPushNotificationConfig": ("tasks/pushNotificationConfig/get", types.GetTaskPushNotificationConfigResponse),
    "ListTaskPushNotificationConfigs": (
        "tasks/pushNotificationConfig/list", types.ListTaskPushNotificationConfigResponse,
    ),
    "DeleteTaskPushNotificationConfig": (
        "tasks/pushNotificationConfig/delete", types.DeleteTaskPushNotificationConfigResponse,
    ),
    "GetExtendedAgentCard": ("agent/getAuthenticatedExtendedCard", types.GetAuthenticatedExtendedCardResponse),
}  # fmt: skip


def modernised(result: Any) -> Any:
    """An answer of 0.3, as the SDK's conversion gives it in 1.0's types."""
    if result is None:
        return None
    if isinstance(result, list):
        configs = [conversions.to_core_task_push_notification_config(one) for one in result]
        return v1.ListTaskPushNotificationConfigsResponse(configs=configs)
    if isinstance(result, types.TaskPushNotificationConfig):
        return conversions.to_core_task_push_notification_config(result)
    if isinstance(result, types.AgentCard):
        return conversions.to_core_agent_card(result)
    return conversions.to_core_task(result)


def modernised_send(result: Any) -> v1.SendMessageResponse:
    if isinstance(result, types.Message):
        return v1.SendMessageResponse(message=conversions.to_core_message(result))
    return v1.SendMessageResponse(task=conversions.to_core_task(result))


def modernised_event(result: Any) -> v1.StreamResponse:
    return conversions.to_core_stream_response(types.SendStreamingMessageSuccessResponse(result=result))


class OldJsonRpc:
    typed = False

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def answer(self, method: str, params: Json) -> Any:
        name, model = OLD_METHODS[method]
        body = await self.caller.call(name, params)
        result = model.model_validate(body).root.result
        if method != "GetExtendedAgentCard":
            said_again = model.model_validate(body).model_dump(mode="json", by_alias=True, exclude_none=True)
            assert said_again == {name: value for name, value in body.items() if value is not None}
        return modernised_send(result) if method == "SendMessage" else modernised(result)

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        name, model = OLD_METHODS[method]
        told = [event for _, event in await self.caller.stream(name, params)]
        return [modernised_event(model.model_validate({"id": 1, "result": event}).root.result) for event in told]

    async def refusal(self, method: str, params: Json) -> str:
        name, _ = OLD_METHODS[method]
        if method in ("SendStreamingMessage", "SubscribeToTask"):
            ((_, body),) = await self.caller.stream(name, params)
        else:
            body = await self.caller.call(name, params)
        error = types.JSONRPCErrorResponse.model_validate(body).error
        assert set(body["error"]) == {"code", "message"}
        return NAMES[error.code]


def old_asked(method: str, params: Json) -> tuple[str, str, Json | None]:
    """(verb, path, body) of a call in 0.3's REST binding (§3.5.3)."""
    rest = dict(params)
    if method in ("SendMessage", "SendStreamingMessage"):
        return "POST", "/v1/message:send" if method == "SendMessage" else "/v1/message:stream", rest
    if method == "GetExtendedAgentCard":
        return "GET", "/v1/card", None
    path = f"/v1/tasks/{rest.pop('taskId', None) or rest.pop('id')}"
    if method == "GetTask":
        length = {"historyLength": rest["historyLength"]} if "historyLength" in rest else {}
        return "GET", f"{path}?{urlencode(length)}", None
    if method in ("CancelTask", "SubscribeToTask"):
        return "POST", f"{path}:{'cancel' if method == 'CancelTask' else 'subscribe'}", None
    if method == "CreateTaskPushNotificationConfig":
        return "POST", f"{path}/pushNotificationConfigs", rest
    if method == "ListTaskPushNotificationConfigs":
        return "GET", f"{path}/pushNotificationConfigs", None
    verb = "DELETE" if method.startswith("Delete") else "GET"
    return verb, f"{path}/pushNotificationConfigs/{rest['pushNotificationConfigId']}", None


OLD_ANSWERS: dict[str, tuple[type[Message], Any]] = {
    "SendMessage": (v03.SendMessageResponse, FromProto.task_or_message),
    "GetTask": (v03.Task, FromProto.task),
    "CancelTask": (v03.Task, FromProto.task),
    "CreateTaskPushNotificationConfig": (v03.TaskPushNotificationConfig, FromProto.task_push_notification_config),
    "GetTaskPushNotificationConfig": (v03.TaskPushNotificationConfig, FromProto.task_push_notification_config),
    "ListTaskPushNotificationConfigs": (
        v03.ListTaskPushNotificationConfigResponse,
        lambda answer: [FromProto.task_push_notification_config(one) for one in answer.configs],
    ),
}


class OldRest:
    """0.3's REST binding, asked in the words of its text, answered by its definition."""

    typed = False

    def __init__(self, caller: RestCaller) -> None:
        self.caller = caller

    def asked(self, method: str, params: Json) -> tuple[str, str, Json | None]:
        return old_asked(method, params)

    async def answer(self, method: str, params: Json) -> Any:
        response = await self.caller.ask(*self.asked(method, params))
        assert response.status_code == 200, response.text
        if method == "GetExtendedAgentCard":
            ParseDict(response.json(), v03.AgentCard(), ignore_unknown_fields=True)
            return modernised(types.AgentCard.model_validate(response.json()))
        if method == "DeleteTaskPushNotificationConfig":
            return None
        kind, read = OLD_ANSWERS[method]
        result = read(ParseDict(response.json(), kind()))
        return modernised_send(result) if method == "SendMessage" else modernised(result)

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        told = await self.caller.stream(*self.asked(method, params))
        return [
            modernised_event(FromProto.stream_response(ParseDict(event, v03.StreamResponse()))) for _, event in told
        ]

    async def refusal(self, method: str, params: Json) -> str:
        response = await self.caller.ask(*self.asked(method, params))
        body = response.json()
        assert (response.status_code // 100, set(body)) == (4, {"code", "message", "type"})
        assert NAMES[body["code"]] == body["type"]
        return str(body["type"])


class OldRestByDefinition(OldRest):
    """The same asked as the official clients do: in the ProtoJSON of the definition."""

    typed = True

    def asked(self, method: str, params: Json) -> tuple[str, str, Json | None]:
        verb, path, body = old_asked(method, params)
        if method in ("SendMessage", "SendStreamingMessage"):
            body = MessageToDict(old_send(params))
        elif method == "CreateTaskPushNotificationConfig":
            body = MessageToDict(old_push(params))
        return verb, path, body


def old_send(params: Json) -> v03.SendMessageRequest:
    given = types.MessageSendParams.model_validate(params)
    return v03.SendMessageRequest(
        request=ToProto.message(given.message),
        configuration=ToProto.message_send_configuration(given.configuration) if given.configuration else None,
        metadata=ToProto.metadata(given.metadata),
    )


def old_push(params: Json) -> v03.CreateTaskPushNotificationConfigRequest:
    given = types.TaskPushNotificationConfig.model_validate(params)
    return v03.CreateTaskPushNotificationConfigRequest(
        parent=f"tasks/{given.task_id}",
        config_id=given.push_notification_config.id,
        config=ToProto.task_push_notification_config(given),
    )


class OldGrpc:
    typed = True

    def __init__(self, caller: GrpcCaller) -> None:
        self.caller = caller

    async def answer(self, method: str, params: Json) -> Any:
        answer = await self._call(method, params)
        if method == "GetExtendedAgentCard":
            return modernised(FromProto.agent_card(answer))
        if method == "DeleteTaskPushNotificationConfig":
            return None
        result = OLD_ANSWERS[method][1](answer)
        return modernised_send(result) if method == "SendMessage" else modernised(result)

    async def events(self, method: str, params: Json) -> list[v1.StreamResponse]:
        return [modernised_event(FromProto.stream_response(event)) async for event in self._call(method, params)]

    async def refusal(self, method: str, params: Json) -> str:
        return A2A_REASON_TO_ERROR[(await refused(self._call(method, params))).info.reason].__name__

    def _call(self, method: str, params: Json) -> Any:
        stub, request = OLD_CALLS[method]
        return self.caller.call(getattr(self.caller.old, stub), request(params))


def _task(params: Json) -> str:
    return f"tasks/{params['id']}"


def _config(params: Json) -> str:
    return f"{_task(params)}/pushNotificationConfigs/{params['pushNotificationConfigId']}"


OLD_CALLS: dict[str, tuple[str, Callable[[Json], Message]]] = {
    "SendMessage": ("SendMessage", old_send),
    "SendStreamingMessage": ("SendStreamingMessage", old_send),
    "GetTask": ("GetTask", lambda p: v03.GetTaskRequest(name=_task(p), history_length=p.get("historyLength"))),
    "CancelTask": ("CancelTask", lambda p: v03.CancelTaskRequest(name=_task(p))),
    "SubscribeToTask": ("TaskSubscription", lambda p: v03.TaskSubscriptionRequest(name=_task(p))),
    "CreateTaskPushNotificationConfig": ("CreateTaskPushNotificationConfig", old_push),
    "GetTaskPushNotificationConfig": (
        "GetTaskPushNotificationConfig", lambda p: v03.GetTaskPushNotificationConfigRequest(name=_config(p)),
    ),
    "ListTaskPushNotificationConfigs": (
        "ListTaskPushNotificationConfig", lambda p: v03.ListTaskPushNotificationConfigRequest(parent=_task(p)),
    ),
    "DeleteTaskPushNotificationConfig": (
        "DeleteTaskPushNotificationConfig", lambda p: v03.DeleteTaskPushNotificationConfigRequest(name=_config(p)),
    ),
    "GetExtendedAgentCard": ("GetAgentCard", lambda p: v03.GetAgentCardRequest()),
}  # fmt: skip
