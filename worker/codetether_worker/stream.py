"""The server's hints that there is something to do. Losing one costs time, never work."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.errors import ServerRefused, ServerUnreachable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One dispatched event of a text/event-stream."""

    event: str
    data: str


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[ServerSentEvent]:
    """Decode a stream by the rules of the HTML standard, section 9.2.6 (ids and retry are of no use here)."""
    name, data = "", list[str]()
    async for line in lines:
        if not line:
            if data:
                yield ServerSentEvent(name or "message", "\n".join(data))
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)


@dataclass(frozen=True, slots=True)
class Hints:
    """Whom the stream wakes: the claimer for new tasks, the heartbeat for cancels and messages."""

    task_available: Callable[[], None]
    attention: Callable[[], None]


class StreamListener:
    """Keeps one stream open; `connected` is set while it is."""

    SILENCE_LIMIT = 75.0  # seconds; the server sends something at least every 30

    def __init__(self, open_stream: Callable[[], Any], hints: Hints, *, stopping: asyncio.Event) -> None:
        self._open_stream = open_stream
        self._hints = hints
        self._stopping = stopping
        self.connected = asyncio.Event()

    async def run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            delay_hint = None
            try:
                await self._listen(backoff)
                log.info("stream ended")
            except ServerUnreachable as error:
                delay_hint = error.retry_after
                log.info("stream lost: %s", error)
            except ServerRefused as error:
                delay_hint = 5.0
                log.warning("stream refused: %s", error)
            finally:
                self.connected.clear()
            self._hints.task_available()  # whoever relied on the stream should look for itself now
            await wait_for_any(self._stopping, limit=backoff.next_delay(delay_hint))

    async def _listen(self, backoff: Backoff) -> None:
        async with self._open_stream() as response:
            await self._consume(response, backoff)

    async def _consume(self, response: httpx.Response, backoff: Backoff) -> None:
        async for event in read_events(response.aiter_lines()):
            backoff.reset()
            if not self.connected.is_set():
                self.connected.set()
                log.info("stream connected")
            self._dispatch(event)

    def _dispatch(self, event: ServerSentEvent) -> None:
        if event.event in ("task_available", "task", "connected"):
            self._hints.task_available()
        elif event.event in ("cancel", "message"):
            self._hints.attention()
        elif event.event == "error":
            log.warning("server says on the stream: %s", _detail(event.data))


def _detail(data: str) -> str:
    try:
        body = json.loads(data)
    except ValueError:
        return data[:200]
    return str(body.get("error", body))[:200] if isinstance(body, dict) else str(body)[:200]
