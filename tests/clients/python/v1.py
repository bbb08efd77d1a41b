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
        self.clients: dict[tuple[str, str, bool, bool], Client] = {}

    async def answer(self, command: dict[str, Any]) -> AsyncIterator[Any]:
        op, params = command["op"], command["params"]
        if op == "card":
            async with httpx.AsyncClient(timeout=SECONDS, verify=False) as http:
                yield MessageToDict(await self._card(http))
            return
        at_once = bool(params.get("configuration", {}).get("returnImmediately"))
        key = (command["binding"], command["version"], op in ("stream", "subscribe"), at_once)
        if key not in self.clients:
            self.clients[key] = await self._client(*key)
        async for told in self._told(self.clients[key], op, params):
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

    async def _card(self, http: httpx.AsyncClient) -> AgentCard:
        return await A2ACardResolver(http, self.base_url).get_agent_card()

    async def _client(self, binding: str, version: str, streams: bool, at_once: bool) -> Client:
        """A client of the card's one interface that has the wanted binding and version."""
        http = httpx.AsyncClient(timeout=SECONDS, verify=False)  # no context for TLS: all is loopback, in the clear
        card = await self._card(http)
        (one,) = [
            i for i in card.supported_interfaces if (i.protocol_binding, i.protocol_version) == (binding, version)
        ]
        only = AgentCard()
        only.CopyFrom(card)
        del only.supported_interfaces[:]
        only.supported_interfaces.append(one)
        config = ClientConfig(
            streaming=streams,
            polling=at_once,
            httpx_client=http,
            grpc_channel_factory=grpc.aio.insecure_channel,
            supported_protocol_bindings=[binding],
        )
        return ClientFactory(config).create(only)


if __name__ == "__main__":
    asyncio.run(serve(Driver(*sys.argv[1:]).answer))
