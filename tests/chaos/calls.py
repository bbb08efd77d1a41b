"""HTTP as the harness's own clients and workers speak it: one request on one connection, and an honest outcome."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.history import FAIL, OK, UNKNOWN
from tests.chaos.scene import TOKEN

TIMEOUT = 3.0
SILENCE = 5.0
"""Seconds without a byte after which a reader of a stream looks elsewhere; the server speaks every second."""
LINE_LIMIT = 4 * 1024 * 1024
TRY_LATER = frozenset({408, 425, 429})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: no usable answer came."""

    status: int = 0
    body: Json = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if 200 <= self.status < 300:
            return OK
        is_no = 400 <= self.status < 500 and self.status not in TRY_LATER
        return FAIL if is_no else UNKNOWN

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


NO_ANSWER = Answer()


async def call(port: int, method: str, path: str, body: Json | None = None, *, key: str = "") -> Answer:
    """One request; whatever goes wrong, or takes too long, is NO_ANSWER."""
    content = b"" if body is None else json.dumps(body).encode()
    try:
        async with asyncio.timeout(TIMEOUT):
            raw = await _exchange(port, _head(method, path, len(content), key) + content)
            return _answer(raw)
    except (OSError, TimeoutError, ValueError):
        return NO_ANSWER


async def _exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def _head(method: str, path: str, length: int, key: str = "", last_id: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {TOKEN}", "Connection: close"]
    if length:
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    if key:
        lines.append(f"Idempotency-Key: {key}")
    if last_id:
        lines.append(f"Last-Event-ID: {last_id}")
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(raw: bytes) -> Answer:
    """ValueError for an answer that is not whole."""
    head, separator, content = raw.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError("no head")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if len(content) != int(fields["content-length"] if "content-length" in fields else -1):
        raise ValueError("cut")
    said = json.loads(content) if content else {}
    return Answer(int(lines[0].split()[1]), said if isinstance(said, dict) else {})


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream."""

    id: str
    event: str
    data: Json


@asynccontextmanager
async def streamed(port: int, path: str, last_id: str = "") -> AsyncIterator[AsyncIterator[Told]]:
    """The events of a stream from after `last_id`; OSError or TimeoutError where there is none, or no more."""
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_LIMIT)
        writer.write(_head("GET", path, 0, last_id=last_id))
        status = await reader.readline()
    try:
        if b" 200 " not in status:
            raise ConnectionError(status.decode("latin-1").strip() or "no answer")
        events = _events(reader)
        async with aclosing(events):
            yield events
    finally:
        writer.close()


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[Told]:
    """Lines of chunk sizes are no fields, so they need no decoding: a frame is never split within a line."""
    fields: dict[str, str] = {}
    while True:
        async with asyncio.timeout(SILENCE):
            line = await reader.readline()
        if not line:
            return
        text = line.decode().rstrip("\r\n")
        name, _, value = text.partition(": ")
        if name in ("id", "event", "data"):
            fields[name] = value
        elif not text and "data" in fields:
            yield Told(fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"]))
            fields = {}
