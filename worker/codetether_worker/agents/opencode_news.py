"""What OpenCode tells on its own HTTP interface, and not by the Agent Client Protocol.

`opencode acp` passes on neither what a sub-agent asks permission for, so that it would wait for ever, nor that a
provider does not answer and it tries again and again (seen in 1.18.33). Both are on the interface that the same process
serves on loopback (https://opencode.ai/docs/server): events by GET /event, answers by POST /permission/{id}/reply.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from acp.schema import PermissionOption

from codetether_worker.backoff import cancel_and_wait
from codetether_worker.stream import read_events

log = logging.getLogger(__name__)

_USER = "opencode"
_PATIENCE = 20  # tries at connecting until the log tells of it
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_ANSWER_LIMIT = 10.0
# OpenCode's names for what it asks leave for, as the protocol's kinds of tools.
_KINDS = {
    "edit": "edit", "write": "edit", "patch": "edit", "bash": "execute", "webfetch": "fetch", "read": "read",
    "grep": "search", "glob": "search", "list": "search", "task": "think", "todowrite": "think",
}  # fmt: skip
OPTIONS = (
    PermissionOption(option_id="once", name="Allow once", kind="allow_once"),
    PermissionOption(option_id="always", name="Always allow", kind="allow_always"),
    PermissionOption(option_id="reject", name="Reject", kind="reject_once"),
)


@dataclass(frozen=True, slots=True)
class Interface:
    """Where one process serves its interface, and the password that only it and this worker know."""

    port: int
    password: str = field(repr=False)

    @classmethod
    def reserve(cls) -> Interface:
        """A port that is free now. Where another program takes it first, the news are missing and nothing else."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(probe.getsockname()[1], secrets.token_urlsafe(24))

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--hostname", "127.0.0.1", "--port", str(self.port))

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENCODE_SERVER_PASSWORD": self.password, "OPENCODE_SERVER_USERNAME": _USER}

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", auth=(_USER, self.password), trust_env=False,
            timeout=httpx.Timeout(_ANSWER_LIMIT, read=None),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears what. `asked` decides on the tool call of a session and gives an option's id, None where the turn was
    cancelled; `moved` is called at each sign of life of a sub-agent; `trouble` gets what a provider's failure says,
    how often it was tried again and how many seconds until the next time, or None once it has been got over.
    """

    asked: Callable[[str, Mapping[str, Any]], Awaitable[str | None]]
    moved: Callable[[], None]
    trouble: Callable[[str | None, int, float], None]


class OpenCodeNews:
    """Listens for as long as the program runs. `own_session` is the one whose permissions the protocol tells."""

    def __init__(self, interface: Interface, folder: Path, listeners: Listeners) -> None:
        self._interface = interface
        self._folder = str(folder)
        self._listeners = listeners
        self._own = ""
        self._task: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def start(self, own_session: str) -> None:
        self._own = own_session
        self._task = asyncio.create_task(self._run(), name="opencode news")

    async def close(self) -> None:
        tasks = [task for task in (self._task, *self._answering) if task is not None]
        self._task = None
        await cancel_and_wait(*tasks)

    async def _run(self) -> None:
        async with self._interface.client() as client:
            for tries in count(1):
                with suppress(httpx.HTTPError):
                    async for event in self._events(client):
                        self._take(client, event)
                if tries == _PATIENCE:
                    log.warning("opencode does not serve its interface; its sub-agents' questions cannot be answered")
                await asyncio.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 1.3**tries))

    async def _events(self, client: httpx.AsyncClient) -> AsyncIterator[Mapping[str, Any]]:
        async with client.stream("GET", "/event", params={"directory": self._folder}) as response:
            response.raise_for_status()
            async for event in read_events(response.aiter_lines()):
                with suppress(ValueError):
                    body = json.loads(event.data)
                    if isinstance(body, dict) and isinstance(body.get("properties"), dict):
                        yield body

    def _take(self, client: httpx.AsyncClient, event: Mapping[str, Any]) -> None:
        facts = event["properties"]
        session = facts.get("sessionID")
        match event.get("type"):
            case "permission.asked" if session and session != self._own:
                task = asyncio.create_task(self._answer(client, facts), name="opencode permission")
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case "session.status":
                self._take_status(facts.get("status"))
            case "message.part.updated" | "message.part.delta" if session and session != self._own:
                self._listeners.moved()

    def _take_status(self, status: object) -> None:
        if not isinstance(status, Mapping):
            return
        if status.get("type") == "retry":
            wait = float(status.get("next") or 0) / 1000 - time.time()  # OpenCode tells it by this clock
            self._listeners.trouble(str(status.get("message") or ""), int(status.get("attempt") or 0), wait)
        elif status.get("type") == "idle":
            self._listeners.trouble(None, 0, 0.0)

    async def _answer(self, client: httpx.AsyncClient, facts: Mapping[str, Any]) -> None:
        option = await self._listeners.asked(str(facts["sessionID"]), tool_call(facts))
        path = f"/permission/{facts.get('id')}/reply"
        try:
            reply = await client.post(
                path, params={"directory": self._folder}, json={"reply": option or "reject"}, timeout=_ANSWER_LIMIT
            )
            reply.raise_for_status()
        except httpx.HTTPError as error:
            log.warning("opencode does not take the answer to what its sub-agent asked: %s", error)


def tool_call(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `permission.asked` tells, in the form of the protocol's requests."""
    permission = str(facts.get("permission") or "other")
    patterns = [str(pattern) for pattern in facts.get("patterns") or ()]
    known = facts.get("metadata")
    metadata: dict[str, Any] = dict(known) if isinstance(known, Mapping) else {}
    tool = facts.get("tool")
    kind = _KINDS.get(permission, "other")
    title = metadata.get("command") or metadata.get("filepath") or ", ".join(patterns) or permission
    if kind in ("edit", "read") and not metadata.get("filepath") and patterns:
        metadata["filepath"] = patterns[0]
    if kind == "execute":
        metadata.setdefault("command", " && ".join(patterns))
    return {
        "toolCallId": str(tool.get("callID") if isinstance(tool, Mapping) else facts.get("id") or ""),
        "kind": kind, "toolName": permission, "title": f"{title} (sub-agent)", "rawInput": metadata,
    }  # fmt: skip
