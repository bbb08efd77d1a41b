"""A2A's operations (1.0 §3.1): what every binding of either version calls, and what each needs.

A binding reads its own wire format into a `Call`, calls the operation, and spells the answer: answers and the events
of streams are in 1.0's ProtoJSON, `apps/a2a/legacy.py` puts them in 0.3's words.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0

from apps.a2a import card
from apps.a2a.conversation import message_send, task_end
from apps.a2a.files import holds_files, with_files
from apps.a2a.incoming import Incoming, history_length, read_send, task_id_of
from apps.a2a.listing import tasks_list
from apps.a2a.looking import View, task_look
from apps.a2a.push import config_create, config_delete, config_get, configs_list
from apps.a2a.push_reading import read_create, read_inline, read_place
from apps.a2a.streams import Place, TaskStream, stream_of_message, stream_of_task
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core.db import in_database

Json = dict[str, Any]
OLD, NEW = PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: who calls, with what, in which version.

    `params` in either version's spelling (`apps/a2a/incoming.py` reads both); `base_url` tells where the caller reached
    us; `agent` the role whose own endpoint was called, or empty.
    """

    principal: Principal
    params: Json
    version: str = NEW
    base_url: Callable[[], str] = str
    last_event_id: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """Exactly one of `answer` and `stream` is there."""

    scope: Scope
    answer: Callable[[Call], Awaitable[Json]] | None = None
    stream: Callable[[Call], Awaitable[TaskStream]] | None = None


async def _send(call: Call) -> Json:
    """`{"task": …}`, or `{"message": …}` where the agent answered without a task."""
    return await _with_files(call, await message_send(call.principal, await _incoming(call)))


async def _send_stream(call: Call) -> TaskStream:
    place = Place.parse(call.last_event_id)
    return await stream_of_message(call.principal, await _incoming(call), place, base_url=call.base_url())


async def _incoming(call: Call) -> Incoming:
    incoming = read_send(call.params, agent=call.agent)
    wish = await read_inline(call.params, call.version)
    length = _unlimited(call.version, incoming.history_length)
    if wish is None and length == incoming.history_length:
        return incoming
    return replace(incoming, push=wish, history_length=length)


async def _get(call: Call) -> Json:
    task_id, length = task_id_of(call.params), _unlimited(call.version, history_length(call.params))
    return await _with_files(call, await task_look(call.principal.workspace_id, task_id, length))


def _unlimited(version: str, length: int | None) -> int | None:
    """0.3 takes a history length of 0 for no limit (as the SDK does)."""
    return None if version == OLD and length == 0 else length


async def _list(call: Call) -> Json:
    return await _with_files(call, await tasks_list(call.principal, call.params))


async def _cancel(call: Call) -> Json:
    return await _with_files(call, await task_end(call.principal, task_id_of(call.params)))


async def _subscribe(call: Call) -> TaskStream:
    place = Place.parse(call.last_event_id)
    return await stream_of_task(call.principal, task_id_of(call.params), place, base_url=call.base_url())


async def _push_create(call: Call) -> Json:
    task_id, wish = await read_create(call.params, call.version)
    return await in_database(config_create, call.principal, task_id, wish)


async def _push_get(call: Call) -> Json:
    return await in_database(config_get, call.principal, *read_place(call.params, call.version))


async def _push_list(call: Call) -> Json:
    return await in_database(configs_list, call.principal, call.params)


async def _push_delete(call: Call) -> Json:
    return await in_database(config_delete, call.principal, *read_place(call.params, call.version))


async def _extended_card(call: Call) -> Json:
    return await card.extended_card(call.principal, call.base_url(), call.agent)


async def _with_files(call: Call, answer: Json) -> Json:
    if not (answer.holds_files if isinstance(answer, View) else holds_files(answer)):
        return answer
    return await in_database(with_files, answer, workspace_id=call.principal.workspace_id, base_url=call.base_url())


READ, WRITE = Scope.TASKS_READ, Scope.TASKS_WRITE

SEND = Operation(WRITE, _send)
SEND_STREAM = Operation(WRITE, stream=_send_stream)
GET = Operation(READ, _get)
LIST = Operation(READ, _list)
CANCEL = Operation(WRITE, _cancel)
SUBSCRIBE = Operation(READ, stream=_subscribe)
PUSH_CREATE = Operation(WRITE, _push_create)
PUSH_GET = Operation(READ, _push_get)
PUSH_LIST = Operation(READ, _push_list)
PUSH_DELETE = Operation(WRITE, _push_delete)
EXTENDED_CARD = Operation(READ, _extended_card)
