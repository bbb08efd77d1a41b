"""The official SDK's `RequestHandler` over our operations, for bindings that the SDK brings along (gRPC).

Requests come as the SDK's proto types and leave as dicts in ProtoJSON, which our operations take; answers go the
other way. What a call is about beyond its request stands in the context's state, as `CallState`.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    SendMessageRequest,
    SendMessageResponse,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskArtifactUpdateEvent,
    TaskPushNotificationConfig,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import InvalidParamsError
from google.protobuf.json_format import Error as JsonFormatError
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message as Proto

from apps.a2a import operations
from apps.a2a.asked import tenant_of
from apps.a2a.operations import Call, Operation
from apps.a2a.streams import Told
from apps.accounts.permits import allowed, permitted
from apps.accounts.principals import Credentials, Principal
from apps.core import jsontext
from apps.core.extension import EXTENSION
from apps.core.whole_numbers import whole_numbers

Json = dict[str, Any]
Event = Task | Message | TaskStatusUpdateEvent | TaskArtifactUpdateEvent

STATE = "call"
"""The key of the `CallState` in a context's state."""
EVENT_ID = "eventId"
"""Where our extension's metadata hold what a client gives as last-event-id."""
LEVELS = 30
"""JSON levels of an answer that surely fit into the 100 messages that protobuf nests: a Struct's take three each."""


@dataclass(slots=True, kw_only=True)
class CallState:
    """A call: who calls, in which version. The rest is written while it is served.

    `reached`: the request was read and is being worked on; `heard`: the id of the last event that was told.
    `streams` closes what the call has opened, at the latest when the call ends, however it ends.
    """

    principal: Principal
    credentials: Credentials
    version: str
    base_url: str = ""
    last_event_id: str = ""
    agent: str = ""
    with_event_ids: bool = False
    reached: bool = False
    heard: str = ""
    streams: AsyncExitStack = field(default_factory=AsyncExitStack)


class TaskRequestHandler(RequestHandler):
    """Every method of A2A 1.0. Raises A2AErrors and our own; `apps/a2a/errors.py` says what they mean."""

    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Task | Message:
        answer = await _answer(operations.SEND, params, context, SendMessageResponse())
        return answer.task if answer.HasField("task") else answer.message

    async def on_message_send_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        async for event in _events(operations.SEND_STREAM, params, context):
            yield event

    async def on_get_task(self, params: GetTaskRequest, context: ServerCallContext) -> Task:
        return await _answer(operations.GET, params, context, Task())

    async def on_list_tasks(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        return await _answer(operations.LIST, params, context, ListTasksResponse())

    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task:
        return await _answer(operations.CANCEL, params, context, Task())

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        async for event in _events(operations.SUBSCRIBE, params, context):
            yield event

    async def on_create_task_push_notification_config(
        self, params: TaskPushNotificationConfig, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        return await _answer(operations.PUSH_CREATE, params, context, TaskPushNotificationConfig())

    async def on_get_task_push_notification_config(
        self, params: GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        return await _answer(operations.PUSH_GET, params, context, TaskPushNotificationConfig())

    async def on_list_task_push_notification_configs(
        self, params: ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> ListTaskPushNotificationConfigsResponse:
        return await _answer(operations.PUSH_LIST, params, context, ListTaskPushNotificationConfigsResponse())

    async def on_delete_task_push_notification_config(
        self, params: DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        await _asked_of(operations.PUSH_DELETE, params, context)

    async def on_get_extended_agent_card(
        self, params: GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> AgentCard:
        return await _answer(operations.EXTENDED_CARD, params, context, AgentCard())


async def _answer[T: Proto](operation: Operation, params: Proto, context: ServerCallContext, into: T) -> T:
    """The operation's answer, read into the proto; what the proto has no field for (0.3's in the card) is left out."""
    return _read(await _asked_of(operation, params, context), into)


async def _asked_of(operation: Operation, params: Proto, context: ServerCallContext) -> Json:
    assert operation.answer is not None
    return await operation.answer(await _call(operation, params, context))


async def _events(operation: Operation, params: Proto, context: ServerCallContext) -> AsyncGenerator[Event]:
    """The events of a stream, silence left out."""
    assert operation.stream is not None
    state: CallState = context.state[STATE]
    call = await _call(operation, params, context)
    await state.streams.enter_async_context(permitted(state.credentials, operation.scope))
    stream = await operation.stream(call)
    pages = await state.streams.enter_async_context(aclosing(stream.pages()))
    async for page in pages:
        for told in page:
            yield _event(told, state)
            state.heard = told.id


async def _call(operation: Operation, params: Proto, context: ServerCallContext) -> Call:
    state: CallState = context.state[STATE]
    state.principal.require(operation.scope)
    read = plain(params)
    if tenant := tenant_of(read):
        state.credentials = replace(state.credentials, workspace=tenant)
        state.principal = await allowed(state.credentials, operation.scope)
    state.reached = True
    return Call(
        principal=state.principal,
        params=read,
        version=state.version,
        base_url=lambda: state.base_url,
        last_event_id=state.last_event_id,
        agent=state.agent,
    )


def plain(params: Proto) -> Json:
    """A request as the dict that JSON would have given; what JSON could not hold is an InvalidParamsError."""
    try:
        read = whole_numbers(MessageToDict(params))
    except (JsonFormatError, ValueError) as error:
        raise InvalidParamsError(f"The request has no JSON form: {error}") from error
    return jsontext.loads_object(orjson.dumps(read))


def _read[T: Proto](answer: Json, into: T) -> T:
    ParseDict(shallow(answer), into, ignore_unknown_fields=True)
    return into


def shallow(value: Any, levels: int = LEVELS) -> Any:
    """The value with what lies too deep for protobuf as JSON text (other bindings take 200 levels)."""
    if levels <= 0 and isinstance(value, dict | list):
        return jsontext.dumps(value).decode()
    if isinstance(value, dict):
        return {name: shallow(one, levels - 1) for name, one in value.items()}
    return [shallow(one, levels - 1) for one in value] if isinstance(value, list) else value


def _event(told: Told, state: CallState) -> Event:
    response = _read(told.event, StreamResponse())
    event: Event = getattr(response, str(response.WhichOneof("payload")))
    if state.with_event_ids:
        event.metadata.get_or_create_struct(EXTENSION)[EVENT_ID] = told.id
    return event
