"""The reference that A2A's speed is held against: the SDK's own server, in memory, on Starlette.

`python tests/bench/a2a_reference.py --port 0` serves and prints its port. Tracing is off, and its agent does the least
that the SDK allows: one event, a task that is completed at once. Nothing is stored, so this is a lower bound for it.
"""

import argparse
import os
import socket

os.environ["OTEL_INSTRUMENTATION_A2A_SDK_ENABLED"] = "false"  # noqa: TID251 (read by the SDK at import)

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import DatabaseTaskStore, InMemoryTaskStore, TaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Task, TaskState, TaskStatus
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette


class Instant(AgentExecutor):
    """Says that the task is done."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        await event_queue.enqueue_event(
            Task(
                id=context.task_id,
                context_id=context.context_id,
                status=TaskStatus(state=TaskState.TASK_STATE_COMPLETED),
                history=[context.message],
            )
        )

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        raise NotImplementedError


def application(database_url: str = "") -> Starlette:
    """The server, which speaks both versions on /a2a/jsonrpc; with a database it keeps its tasks there."""
    card = AgentCard(
        name="reference",
        description="reference",
        version="1",
        capabilities=AgentCapabilities(streaming=True),
        supported_interfaces=[
            AgentInterface(url="http://127.0.0.1/a2a/jsonrpc", protocol_binding="JSONRPC", protocol_version=version)
            for version in ("1.0", "0.3")
        ],
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
    )
    handler = DefaultRequestHandler(agent_executor=Instant(), task_store=_store(database_url), agent_card=card)
    return Starlette(routes=create_jsonrpc_routes(handler, "/a2a/jsonrpc", enable_v0_3_compat=True))


def _store(database_url: str) -> TaskStore:
    return DatabaseTaskStore(create_async_engine(database_url)) if database_url else InMemoryTaskStore()


def main() -> None:
    parser = argparse.ArgumentParser(description="The SDK's own A2A server, in memory.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database", default="", help="where the tasks are kept; else in memory")
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", options.port))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        application(options.database), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
