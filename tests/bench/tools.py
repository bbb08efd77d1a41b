"""MCP's tools beside the SDK's own server with a tool that only returns: one task, looked at again and again."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.bench import a2a
from tests.bench.load import Driven, connect, drive, post
from tests.bench.services import Bench
from tests.bench.stage import Served, tools_reference
from tests.bench.table import Line

PATH, PLAIN = "/mcp", "/mcp/v1/rpc"
BARE = "MCP SDK, bare server"
NEW = "2026-07-28"
OF_NEW = {"MCP-Protocol-Version": NEW, "Mcp-Method": "tools/call", "Mcp-Name": "get_task"}
ABOUT = {"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}}


def get_task(task_id: str, path: str = PATH, *, new: bool = False) -> Callable[[int], bytes]:
    """The nth call of the tool, in the era of the handshake or in the new one."""
    params: dict[str, Any] = {"name": "get_task", "arguments": {"task_id": task_id}} | ({"_meta": ABOUT} if new else {})

    def call(number: int) -> bytes:
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        plain = post(path, json.dumps(body).encode())
        said = {"Accept": "application/json, text/event-stream"} | (OF_NEW if new else {})
        fields = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        return plain.replace(b"\r\n", b"\r\n" + fields.encode(), 1)

    return call


async def measure(bench: Bench, *, seconds: float) -> list[Line]:
    """get_task of a task that has ended, in both eras, and without a client."""
    ours = await a2a.shown_to_work(bench.stage.web)
    await asyncio.to_thread(bench.complete, ours)
    with tools_reference() as bare:
        lines = []
        for era, new in (("with a handshake's version", False), (NEW, True)):
            mine = await driven(bench.stage.web, get_task(ours, new=new), seconds)
            theirs = await driven(bare, get_task("t1", new=new), seconds)
            lines.append(Line(f"MCP get_task, {era}, CPU of the web process", mine.cpu_ms, "ms", theirs.cpu_ms, BARE))
    plain = await driven(bench.stage.web, get_task(ours, PLAIN), seconds)
    await asyncio.to_thread(bench.empty)
    return [*lines, Line("MCP get_task, without a client, CPU of the web process", plain.cpu_ms, "ms")]


async def driven(server: Served, request: Callable[[int], bytes], seconds: float) -> Driven:
    """A call that fails would be fast, so one is looked at before."""
    caller = await connect(server)
    answer = json.loads((await caller.call(request(0))).partition(b"\r\n\r\n")[2])
    caller.transport.close()
    assert answer["result"]["structuredContent"]["status"], answer
    return await drive(server, request, connections=a2a.CONNECTIONS, seconds=seconds)
