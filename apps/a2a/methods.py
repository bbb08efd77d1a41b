"""The methods of the JSON-RPC binding, of both versions: what each needs, does and answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0
from a2a.utils.errors import PushNotificationNotSupportedError
from starlette.requests import Request

from apps.a2a import card, legacy
from apps.a2a.conversation import message_send, task_end, task_look
from apps.a2a.incoming import history_length, read_send, task_id_of
from apps.a2a.streams import Place, TaskStream, stream_of_message, stream_of_task
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.sse import last_event_id

Json = dict[str, Any]
OLD, NEW = PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, and the HTTP request that brought it."""

    principal: Principal
    params: Json
    request: Request


@dataclass(frozen=True, slots=True)
class Method:
    """Exactly one of `answer` and `stream` is there. `spell` puts 1.0's result (or stream event) in the version's
    words."""

    version: str
    scope: Scope
    answer: Callable[[Call], Awaitable[Json]] | None = None
    stream: Callable[[Call], Awaitable[TaskStream]] | None = None
    spell: Callable[[Json], Json] = lambda result: result


async def _send(call: Call) -> Json:
    return await message_send(call.principal, read_send(call.params))


async def _send_new(call: Call) -> Json:
    return {"task": await _send(call)}


async def _send_stream(call: Call) -> TaskStream:
    place = Place.parse(last_event_id(call.request))
    return await stream_of_message(call.principal, read_send(call.params), place)


async def _get(call: Call) -> Json:
    return await task_look(call.principal, task_id_of(call.params), history_length(call.params))


async def _get_old(call: Call) -> Json:
    """0.3 takes a history length of 0 for no limit (as the SDK does)."""
    return await task_look(call.principal, task_id_of(call.params), history_length(call.params) or None)


async def _cancel(call: Call) -> Json:
    return await task_end(call.principal, task_id_of(call.params))


async def _subscribe(call: Call) -> TaskStream:
    place = Place.parse(last_event_id(call.request))
    return await stream_of_task(call.principal, task_id_of(call.params), place)


async def _no_push(call: Call) -> Json:
    raise PushNotificationNotSupportedError("Push notifications are not offered; use a stream, or ask again.")


async def _card(call: Call) -> Json:
    return await card.extended_card(call.principal, card.base_url_of(call.request))


READ, WRITE = Scope.TASKS_READ, Scope.TASKS_WRITE

METHODS: Mapping[str, Method] = {
    "message/send": Method(OLD, WRITE, _send, spell=legacy.task),
    "message/stream": Method(OLD, WRITE, stream=_send_stream, spell=legacy.stream_event),
    "tasks/get": Method(OLD, READ, _get_old, spell=legacy.task),
    "tasks/cancel": Method(OLD, WRITE, _cancel, spell=legacy.task),
    "tasks/resubscribe": Method(OLD, READ, stream=_subscribe, spell=legacy.stream_event),
    "tasks/pushNotificationConfig/set": Method(OLD, WRITE, _no_push),
    "tasks/pushNotificationConfig/get": Method(OLD, READ, _no_push),
    "tasks/pushNotificationConfig/list": Method(OLD, READ, _no_push),
    "tasks/pushNotificationConfig/delete": Method(OLD, WRITE, _no_push),
    "agent/getAuthenticatedExtendedCard": Method(OLD, READ, _card),
    "SendMessage": Method(NEW, WRITE, _send_new),
    "SendStreamingMessage": Method(NEW, WRITE, stream=_send_stream),
    "GetTask": Method(NEW, READ, _get),
    "CancelTask": Method(NEW, WRITE, _cancel),
    "SubscribeToTask": Method(NEW, READ, stream=_subscribe),
    "CreateTaskPushNotificationConfig": Method(NEW, WRITE, _no_push),
    "GetTaskPushNotificationConfig": Method(NEW, READ, _no_push),
    "ListTaskPushNotificationConfigs": Method(NEW, READ, _no_push),
    "DeleteTaskPushNotificationConfig": Method(NEW, WRITE, _no_push),
    "GetExtendedAgentCard": Method(NEW, READ, _card),
}
