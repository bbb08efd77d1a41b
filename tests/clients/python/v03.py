"""Driver of the official Python client of A2A 0.3. `v03.py BASE_URL TOKEN`, in an environment of its own.

Parameters and answers are 0.3's JSON.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.types import (
    AgentCard,
    GetTaskPushNotificationConfigParams,
    Message,
    MessageSendConfiguration,
    PushNotificationConfig,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
)
from serving import serve

SECONDS = 30.0
CALLS = {
    "get": ("get_task", TaskQueryParams),
    "cancel": ("cancel_task", TaskIdParams),
    "push_set": ("set_task_callback", TaskPushNotificationConfig),
    "push_get": ("get_task_callback", GetTaskPushNotificationConfigParams),
}


class Bearer(grpc.aio.UnaryUnaryClientInterceptor):
    """Shows the token in every call's metadata; this version of the client has no place for it."""

    def __init__(self, token: str) -> None:
        self.said = ("authorization", f"Bearer {token}")

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self.shown(details), request)

    def shown(self, details: Any) -> Any:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), self.said)
        return details._replace(metadata=metadata)


class BearerOfStreams(grpc.aio.UnaryStreamClientInterceptor):
    """One interceptor may serve one kind of call only."""

    def __init__(self, bearer: Bearer) -> None:
        self.bearer = bearer

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return await continuation(self.bearer.shown(details), request)


def plain(told: Any) -> Any:
    """0.3's JSON of whatever the client gives; of its (task, update) pairs what the server sent."""
    if isinstance(told, tuple):
        task, update = told
        told = task if update is None else update
    if isinstance(told, list):
        return [plain(one) for one in told]
    return None if told is None else told.model_dump(mode="json", by_alias=True, exclude_none=True)


class Driver:
    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.token = token
        self.http = httpx.AsyncClient(timeout=SECONDS, headers={"authorization": f"Bearer {token}"}, verify=False)
        self.clients: dict[tuple[str, bool, bool], Client] = {}

    async def answer(self, command: dict[str, Any]) -> AsyncIterator[Any]:
        op, params = command["op"], command["params"]
        if op == "card":
            yield plain(await self._card())
            return
        options = params.get("configuration", {})
        # This client takes a config for push notifications for all that it sends, or breaks at the one of a call.
        push = options.pop("pushNotificationConfig", None)
        key = (command["binding"], op in ("stream", "subscribe"), not options.get("blocking", True))
        client = None if push else self.clients.get(key)
        if client is None:
            client = await self._client(*key, [PushNotificationConfig.model_validate(push)] if push else [])
        if not push:
            self.clients[key] = client
        async for told in self._told(client, op, params):
            yield plain(told)

    async def _told(self, client: Client, op: str, params: dict[str, Any]) -> AsyncIterator[Any]:
        if op in ("send", "stream"):
            configuration = MessageSendConfiguration.model_validate(params.get("configuration", {}))
            message = Message.model_validate(params["message"])
            async for event in client.send_message(message, configuration=configuration):
                yield event
        elif op == "subscribe":
            async for event in client.resubscribe(TaskIdParams.model_validate(params)):
                yield event
        elif op == "extended_card":
            yield await client.get_card()
        else:
            name, request = CALLS[op]
            yield await getattr(client, name)(request.model_validate(params))

    async def _card(self) -> AgentCard:
        return await A2ACardResolver(self.http, self.base_url).get_agent_card()

    async def _client(self, binding: str, streams: bool, at_once: bool, push: list[PushNotificationConfig]) -> Client:
        bearer = Bearer(self.token)

        def channel(url: str) -> grpc.aio.Channel:
            return grpc.aio.insecure_channel(url, interceptors=[bearer, BearerOfStreams(bearer)])

        config = ClientConfig(
            streaming=streams,
            polling=at_once,
            httpx_client=self.http,
            grpc_channel_factory=channel,
            supported_transports=[binding],
            push_notification_configs=push,
        )
        return ClientFactory(config).create(await self._card())


if __name__ == "__main__":
    asyncio.run(serve(Driver(*sys.argv[1:]).answer))
