"""A remote A2A agent for tests: the SDK's own server on a loopback port, whose agent plays what a test has written.

A play is a coroutine that gets a `Stage`; the first word of a message chooses it. The server can go and come back on
the same port, refuse, ask for a token, speak one version only, stream or not, and sign its card.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.response_helpers import agent_card_to_dict
from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    Message,
    Part,
    Task,
    TaskState,
    TaskStatus,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

PATIENCE = 10.0


@dataclass(slots=True)
class Stage:
    """What a play may do. `words` is the message's text, `go` what the test sets to let the play go on."""

    words: str
    context: RequestContext
    updater: TaskUpdater
    queue: EventQueue
    go: asyncio.Event

    async def say(self, text: str, *, artifact: str = "answer", append: bool = False, **more: Any) -> None:
        await self.updater.add_artifact([Part(text=text)], artifact_id=artifact, name=artifact, append=append, **more)

    async def show(self, *parts: Part, artifact: str) -> None:
        await self.updater.add_artifact(list(parts), artifact_id=artifact, name=artifact)

    async def work(self, text: str = "") -> None:
        await self.updater.start_work(self._message(text) if text else None)

    async def ask(self, text: str) -> None:
        await self.updater.requires_input(self._message(text))

    async def end(self, state: TaskState, text: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        message = self._message(text) if text else None
        await self.updater.update_status(state, message, metadata=dict(metadata) if metadata else None)

    async def done(self, text: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        await self.end(TaskState.TASK_STATE_COMPLETED, text, metadata)

    def _message(self, text: str) -> Message:
        return self.updater.new_agent_message([Part(text=text)])


Play = Callable[[Stage], Awaitable[None]]


@dataclass(slots=True)
class Cousin:
    """The agent. `messages` are those that it has had, `calls` the (path, authorization) of each request."""

    plays: Mapping[str, Play]
    versions: tuple[str, ...] = ("1.0", "0.3")
    binding: str = "JSONRPC"
    streaming: bool = True
    token: str = ""
    sign: Callable[[AgentCard], AgentCard] | None = None
    jwks: dict[str, Any] | None = None
    altered: Callable[[dict[str, Any]], None] | None = None
    messages: list[Message] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refusals: deque[Response] = field(default_factory=deque)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None
    _app: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def card_url(self) -> str:
        return f"{self.url}/.well-known/agent-card.json"

    async def start(self) -> None:
        """Serve, on the same port as before where there was one; tasks are remembered."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._app = self._app or self._application()
        config = uvicorn.Config(self, lifespan="off", log_level="critical", access_log=False)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        """Cut every connection at once and refuse new ones."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()  # type: ignore[union-attr]
            await self._serving
            self._server = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.headers.append({"path": scope["path"], **headers})
        is_open = scope["path"] in ("/.well-known/agent-card.json", "/jwks.json")
        if not is_open and self.refusals:
            await self.refusals.popleft()(scope, receive, send)
        elif not is_open and self.token and headers.get("authorization") != f"Bearer {self.token}":
            await JSONResponse({"detail": "no"}, 401)(scope, receive, send)
        else:
            with suppress(asyncio.CancelledError):
                await self._app(scope, receive, send)

    def card(self) -> AgentCard:
        path = "/rpc" if self.binding == "JSONRPC" else "/rest"
        return AgentCard(
            name="The Cousin",
            description="Plays what it is told.",
            version="7",
            capabilities=AgentCapabilities(streaming=self.streaming),
            supported_interfaces=[
                AgentInterface(url=self.url + path, protocol_binding=self.binding, protocol_version=version)
                for version in self.versions
            ],
            default_input_modes=["text/plain"],
            default_output_modes=["text/plain"],
            skills=[AgentSkill(id="play", name="Play", description="Plays.", tags=["play"])],
        )

    def _application(self) -> Starlette:
        handler = DefaultRequestHandler(
            agent_executor=_Player(self), task_store=InMemoryTaskStore(), agent_card=self.card()
        )
        old = "0.3" in self.versions
        routes = [
            Route("/.well-known/agent-card.json", self._card),
            Route("/jwks.json", lambda request: JSONResponse(self.jwks)),
            *create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat=old),
            *create_rest_routes(handler, path_prefix="/rest", enable_v0_3_compat=old),
        ]
        return Starlette(routes=routes)

    async def _card(self, request: Request) -> Response:
        card = self.card()
        shown = agent_card_to_dict(self.sign(card) if self.sign else card)
        if self.altered is not None:
            self.altered(shown)
        return JSONResponse(shown, headers={"etag": '"one"'})


class _Player(AgentExecutor):
    def __init__(self, cousin: Cousin) -> None:
        self.cousin = cousin

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        self.cousin.messages.append(context.message)
        words = context.get_user_input()
        if context.current_task is None and not words.startswith("direct"):
            status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            made = Task(id=context.task_id, context_id=context.context_id, status=status, history=[context.message])
            await event_queue.enqueue_event(made)
        updater = TaskUpdater(event_queue, str(context.task_id), str(context.context_id))
        stage = Stage(words, context, updater, event_queue, self.cousin.go)
        await self.cousin.plays[words.partition(" ")[0]](stage)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        self.cousin.cancelled.append(str(context.task_id))
        await TaskUpdater(event_queue, str(context.task_id), str(context.context_id)).cancel()


class _Server(uvicorn.Server):
    """On the test's own loop; signals are pytest's."""

    def capture_signals(self) -> Any:
        return nullcontext()
