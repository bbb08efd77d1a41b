"""Driver of the official Python client of A2A 1.0 (which also speaks 0.3). `v1.py BASE_URL TOKEN`.

Parameters and answers are 1.0's ProtoJSON, whichever version goes over the wire.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
)
from google.protobuf.json_format import MessageToDict, ParseDict
from serving import serve

SECONDS = 30.0
CALLS: dict[str, tuple[str, type]] = {
    "get": ("get_task", GetTaskRequest),
    "list": ("list_tasks", ListTasksRequest),
    "cancel": ("cancel_task", CancelTaskRequest),
    "push_set": ("create_task_push_notification_config", TaskPushNotificationConfig),
    "push_get": ("get_task_push_notification_config", GetTaskPushNotificationConfigRequest),
    "push_list": ("list_task_push_notification_configs", ListTaskPushNotificationConfigsRequest),
    "push_delete": ("delete_task_push_notification_config", DeleteTaskPushNotificationConfigRequest),
    "extended_card": ("get_extended_agent_card", GetExtendedAgentCardRequest),
}


class Driver:
    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.authority = {"authorization": f"Bearer {token}"}

    async def answer(self, command: dict[str, Any]) -> AsyncIterator[Any]:
        op, params = command["op"], command["params"]
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            card = await A2ACardResolver(http, self.base_url).get_agent_card()
            if op == "card":
                yield MessageToDict(card)
                return
            client = self._client(card, http, command)
            async for told in self._told(client, op, params):
                yield told if told is None else MessageToDict(told)

    async def _told(self, client: Client, op: str, params: dict[str, Any]) -> AsyncIterator[Any]:
        context = ClientCallContext(service_parameters=self.authority, timeout=SECONDS)
        if op in ("send", "stream"):
            async for event in client.send_message(ParseDict(params, SendMessageRequest()), context=context):
                yield event
        elif op == "subscribe":
            async for event in client.subscribe(ParseDict(params, SubscribeToTaskRequest()), context=context):
                yield event
        else:
            name, request = CALLS[op]
            yield await getattr(client, name)(ParseDict(params, request()), context=context)

    def _client(self, card: AgentCard, http: httpx.AsyncClient, command: dict[str, Any]) -> Client:
        """A client of the card's one interface that has the wanted binding and version."""
        wanted = (command["binding"], command["version"])
        (one,) = [i for i in card.supported_interfaces if (i.protocol_binding, i.protocol_version) == wanted]
        only = AgentCard()
        only.CopyFrom(card)
        del only.supported_interfaces[:]
        only.supported_interfaces.append(one)
        config = ClientConfig(
            streaming=command["op"] in ("stream", "subscribe"),
            httpx_client=http,
            grpc_channel_factory=grpc.aio.insecure_channel,
            supported_protocol_bindings=[command["binding"]],
            polling=bool(command["params"].get("configuration", {}).get("returnImmediately")),
        )
        return ClientFactory(config).create(only)


if __name__ == "__main__":
    asyncio.run(serve(Driver(*sys.argv[1:]).answer))
