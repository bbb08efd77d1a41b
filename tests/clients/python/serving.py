"""The loop of a driver: commands come as lines of JSON, answers go out as lines of JSON, many at a time.

A command is `{"id", "op", "binding", "version", "params"}`, or `{"id", "op": "stop"}` for one that is under way. An
answer is `{"id", "event"}` for each event of a stream, and at the end `{"id", "result"}` or `{"id", "error"}`.
Run by the Python of the client's own environment, so it imports nothing but the standard library.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

LINE_LIMIT = 2**26
Answer = Callable[[dict[str, Any]], AsyncIterator[Any]]


def _say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _fault(error: BaseException) -> dict[str, Any]:
    """What a person would see of the error, and its code where it has one."""
    code = getattr(error, "code", None) or getattr(error, "status_code", None)
    if callable(code):
        code = code()
    told = getattr(error, "error", None)  # 0.3's JSON-RPC errors keep the server's inside
    code = getattr(told, "code", code)
    return {"type": type(error).__name__, "code": getattr(code, "name", code), "message": str(error)}


async def _do(command: dict[str, Any], answer: Answer) -> None:
    """A result is the last thing that the client gave; before it, streams tell each event."""
    last = None
    try:
        async for last in answer(command):
            if command["op"] in ("stream", "subscribe"):
                _say(id=command["id"], event=last)
        _say(id=command["id"], result=last)
    except Exception as error:  # noqa: BLE001 (whatever the client raises is what the test wants to see)
        _say(id=command["id"], error=_fault(error))
    except asyncio.CancelledError:
        _say(id=command["id"], result=None)


async def serve(answer: Answer) -> None:
    """Until stdin ends."""
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: dict[int, asyncio.Task[None]] = {}
    while line := await reader.readline():
        command = json.loads(line)
        if command["op"] == "stop":
            running[command["id"]].cancel()
            continue
        running[command["id"]] = asyncio.create_task(_do(command, answer))
