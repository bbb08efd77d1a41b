"""The methods of the JSON-RPC binding, of both versions: which operation each is, and how its answer is spelled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.a2a import legacy, operations
from apps.a2a.operations import NEW, OLD, Operation

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """`spell` puts 1.0's answer (or stream event) in the version's words."""

    version: str
    operation: Operation
    spell: Callable[[Json], Any] = lambda answer: answer


METHODS: Mapping[str, Method] = {
    "message/send": Method(OLD, operations.SEND, legacy.stream_event),
    "message/stream": Method(OLD, operations.SEND_STREAM, legacy.stream_event),
    "tasks/get": Method(OLD, operations.GET, legacy.task),
    "tasks/cancel": Method(OLD, operations.CANCEL, legacy.task),
    "tasks/resubscribe": Method(OLD, operations.SUBSCRIBE, legacy.stream_event),
    "tasks/pushNotificationConfig/set": Method(OLD, operations.PUSH_CREATE, legacy.push_config),
    "tasks/pushNotificationConfig/get": Method(OLD, operations.PUSH_GET, legacy.push_config),
    "tasks/pushNotificationConfig/list": Method(OLD, operations.PUSH_LIST, legacy.push_configs),
    "tasks/pushNotificationConfig/delete": Method(OLD, operations.PUSH_DELETE, legacy.nothing),
    "agent/getAuthenticatedExtendedCard": Method(OLD, operations.EXTENDED_CARD),
    "SendMessage": Method(NEW, operations.SEND),
    "SendStreamingMessage": Method(NEW, operations.SEND_STREAM),
    "GetTask": Method(NEW, operations.GET),
    "ListTasks": Method(NEW, operations.LIST),
    "CancelTask": Method(NEW, operations.CANCEL),
    "SubscribeToTask": Method(NEW, operations.SUBSCRIBE),
    "CreateTaskPushNotificationConfig": Method(NEW, operations.PUSH_CREATE),
    "GetTaskPushNotificationConfig": Method(NEW, operations.PUSH_GET),
    "ListTaskPushNotificationConfigs": Method(NEW, operations.PUSH_LIST),
    "DeleteTaskPushNotificationConfig": Method(NEW, operations.PUSH_DELETE),
    "GetExtendedAgentCard": Method(NEW, operations.EXTENDED_CARD),
}
