"""The reference that MCP's speed is held against: the SDK's own server with one tool, which knows its answer by heart.

`python -m tests.bench.tools_reference` serves on a free port and prints it. Stateless with answers in JSON, as ours;
without tokens, database or logs, so this is a lower bound for it.
"""

import argparse
import logging
import socket
from typing import Annotated

import uvicorn
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field


class TaskDetail(BaseModel):
    """As large as our answer, and as many fields."""

    id: str
    title: str
    status: str
    result: str
    attempt: int
    facts: dict[str, str | int | None]


FACTS: dict[str, str | int | None] = {f"fact_{number}": "a fact of the task" for number in range(24)}
server = MCPServer("reference")


@server.tool()
async def get_task(task_id: Annotated[str, Field(description="The task's id")]) -> TaskDetail:
    """Show one task."""
    return TaskDetail(id=task_id, title="Add unit tests", status="completed", result="done", attempt=1, facts=FACTS)


def main() -> None:
    argparse.ArgumentParser(description="The MCP SDK's own server with one tool, in memory.").parse_args()
    logging.getLogger("mcp").setLevel(logging.WARNING)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    application = server.streamable_http_app(json_response=True, stateless_http=True, host="0.0.0.0")  # noqa: S104
    config = uvicorn.Config(application, loop="uvloop", http="httptools", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
