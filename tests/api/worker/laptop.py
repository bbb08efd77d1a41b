"""A worker as the server meets it: HTTP and event streams against the application in this process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson

from apps.core.wakeups import hub
from codetether.asgi import application

PATIENCE = 10.0
Json = dict[str, Any]


class Laptop:
    """One worker, `name` being its id too. Every call gives the raw response, so that tests see refusals."""

    def __init__(self, token: str, name: str = "w1") -> None:
        self.name = name
        self.headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(application)  # type: ignore[arg-type]  # httpx spells ASGI's types loosely
        self.http = httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=self.headers)

    async def post(self, path: str, body: object) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(path, content=content, headers={"content-type": "application/json"})

    async def register(self, **more: Any) -> httpx.Response:
        said = {"worker_id": self.name, "name": self.name, "global_codebase_id": "home"} | more
        return await self.post("/v1/opencode/workers/register", said)

    async def claim(self, **more: Any) -> httpx.Response:
        return await self.post("/v1/worker/tasks/claim", {"worker_id": self.name} | more)

    async def take(self, **more: Any) -> Json:
        """A claim that must succeed: the claimed task with its token."""
        answer = (await self.claim(**more)).json()
        assert answer["task"], "there was nothing to claim"
        task: Json = answer["task"]
        return task

    async def report(self, held: Mapping[str, Any], *events: Json, **more: Any) -> httpx.Response:
        body = {"worker_id": self.name, "claim_token": held["claim_token"], "events": list(events)} | more
        return await self.post(f"/v1/worker/tasks/{held['id']}/events", body)

    async def release(self, held: Mapping[str, Any], status: str = "completed", **more: Any) -> httpx.Response:
        body = {"worker_id": self.name, "task_id": held["id"], "claim_token": held["claim_token"], "status": status}
        return await self.post("/v1/worker/tasks/release", body | more)

    async def beat(self, *held: Mapping[str, Any], **more: Any) -> httpx.Response:
        claims = [{"task_id": one["id"], "claim_token": one["claim_token"]} for one in held]
        return await self.post(f"/v1/opencode/workers/{self.name}/heartbeat", {"claims": claims} | more)

    @asynccontextmanager
    async def stream(self, headers: Mapping[str, str] | None = None, **query: str) -> "AsyncIterator[Frames]":
        """The worker's event stream, open within the block."""
        frames = Frames(urlencode({"worker_id": self.name} | query), {**self.headers, **(headers or {})})
        async with asyncio.timeout(PATIENCE * 2):
            with hub().waiting("the subscription"):
                await hub().connected.wait()
            await frames.open()
            try:
                yield frames
            finally:
                await frames.close()


class Frames:
    """An open stream: httpx's in-process transport would wait for its end, so this drives the application itself."""

    def __init__(self, query: str, headers: Mapping[str, str]) -> None:
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/v1/worker/tasks/stream",
            "raw_path": b"/v1/worker/tasks/stream",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        self.status = 0
        self.received: dict[str, str] = {}
        self._messages: asyncio.Queue[Json] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._text = b""

    async def open(self) -> None:
        self._app = asyncio.create_task(application(self._scope, self._receive, self._messages.put))  # type: ignore[arg-type]
        start = await self._message()
        self.status = start["status"]
        self.received = {name.decode(): value.decode() for name, value in start["headers"]}

    async def close(self) -> None:
        self._gone.set()
        await self._app

    async def _receive(self) -> Json:
        if not hasattr(self, "_asked"):
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _message(self) -> Json:
        async with asyncio.timeout(PATIENCE):
            return await self._messages.get()

    async def frame(self) -> str:
        """The next frame's text, whatever it is."""
        while b"\n\n" not in self._text:
            message = await self._message()
            assert message.get("more_body"), "the stream ended"
            self._text += message["body"]
        text, _, self._text = self._text.partition(b"\n\n")
        return text.decode()

    async def next(self, *names: str) -> Json:
        """The data of the next event of one of `names`; other frames are passed over."""
        while True:
            fields = dict(line.partition(": ")[::2] for line in (await self.frame()).split("\n"))
            assert "error" in names or fields.get("event") != "error", fields["data"]
            if fields.get("event") in names:
                data: Json = orjson.loads(fields["data"])
                return data

    async def silence(self) -> list[str]:
        """The names of the events that came before the next keep-alive."""
        names = []
        while not (frame := await self.frame()).startswith(":"):
            names += [line[7:] for line in frame.split("\n") if line.startswith("event: ")]
        return names
