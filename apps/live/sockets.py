"""WebSockets, by Channels: the same events as the SSE streams, as JSON frames `{id, event, data}`.

Who may read is settled by the `Authorization` header, by `{"token": ...}` in the first frame (browsers cannot set
headers), or by the session cookie of one of our own pages; `{"workspace": ...}` in it chooses one of the caller's.
`{"last_event_id": ...}`, in the first frame or later, goes on after that event, as does `?last_event_id=`.
Closed with 4400 (malformed), 4401 (nobody), 4403 (not allowed), 4404 (not found), 4429 (too often, or too many
at once), 1013 (try again later), 1011 (our fault) or 1000 (the task has ended).

The consumers subscribe to nothing on the channel layer: one subscription per process carries all wake-ups.
"""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.urls import URLPattern, re_path
from starlette.requests import HTTPConnection

from apps.accounts.admission import admit_stranger, admitted
from apps.accounts.gate import credentials_of
from apps.accounts.permissions import Scope
from apps.accounts.permits import permitted
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.db import in_database
from apps.core.errors import MalformedError, NotFoundError
from apps.core.metrics import WEBSOCKETS
from apps.core.problems import problem_of
from apps.core.sse import last_event_id
from apps.live import feeds
from apps.live.access import refuse_foreign_page
from apps.live.feeds import Feed
from apps.live.projection import Batch, Frame

FIRST_FRAME_SECONDS = 0.5
"""How long one who is known already is given to say where to go on; said later, it counts just the same."""
TOKEN_SECONDS = 10.0
FRAME_LIMIT = 4096
CLOSE_CODES = {400: 4400, 401: 4401, 403: 4403, 404: 4404, 429: 4429, 503: 1013}
INTERNAL_ERROR = 1011

Greeting = dict[str, Any]


class FeedConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket: waits for its first frame, then sends its feed. Subclasses say which feed."""

    channel_layer_alias = "none"

    async def feed(self, principal: Principal, last_id: str) -> Feed:
        """The feed after `last_id`; raises what the gate would answer."""
        raise NotFoundError("There is nothing at this path.")

    async def connect(self) -> None:
        await self.accept()
        self.greeted: asyncio.Future[Greeting] = asyncio.get_running_loop().create_future()
        self.serving = asyncio.create_task(self._serve())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A frame of the client's: the first greets, a later one may ask to go on from elsewhere."""
        if self.serving.done():
            return
        try:
            greeting = _greeting((text_data or "").encode() or bytes_data or b"")
        except MalformedError as error:
            await self._stop()
            await self._refuse(error)
            return
        if not self.greeted.done():
            self.greeted.set_result(greeting)
        elif "last_event_id" in greeting:
            await self._stop()
            self.greeted = _done(self.greeted.result() | greeting)
            self.serving = asyncio.create_task(self._serve())

    async def disconnect(self, code: int) -> None:
        await self._stop()

    async def _stop(self) -> None:
        self.serving.cancel()
        await asyncio.wait([self.serving])

    async def _serve(self) -> None:
        try:
            await self._send_feed()
            await self.close(1000)
        except OSError:
            pass  # the client has gone: `disconnect` follows
        except Exception as error:  # noqa: BLE001 (the lane's boundary: everything becomes a close code)
            await self._refuse(error)

    async def _send_feed(self) -> None:
        connection = HTTPConnection(self.scope)
        credentials = credentials_of(connection)
        is_known = bool(credentials.authorization or credentials.session_key) or not settings.A2A_AUTH_ENABLED
        if not is_known:
            await admit_stranger()
        greeting = await self._greeting_within(FIRST_FRAME_SECONDS if is_known else TOKEN_SECONDS)
        if "token" in greeting:
            credentials = replace(credentials, authorization=f"Bearer {greeting['token']}", session_key="")
        credentials = replace(credentials, workspace=greeting.get("workspace", credentials.workspace))
        if not credentials.authorization:
            refuse_foreign_page(connection)
        principal = await admitted(credentials)
        principal.require(Scope.TASKS_READ)
        last_id = str(greeting.get("last_event_id") or last_event_id(connection))
        feed = await self.feed(principal, last_id)
        with WEBSOCKETS.track_inprogress():
            async with permitted(credentials, Scope.TASKS_READ):
                await self._send_all(feed)

    async def _greeting_within(self, seconds: float) -> Greeting:
        """The first frame; an empty one where none comes in time."""
        await asyncio.wait([self.greeted], timeout=seconds)
        if not self.greeted.done():
            self.greeted.set_result({})
        return self.greeted.result()

    async def _send_all(self, feed: Feed) -> None:
        async with aclosing(feed.pages) as pages:
            if feed.first is not None:
                await self._send_batch(feed.first)
            async for page in pages:
                await self._send_batch(feed.batch_of(page))

    async def _send_batch(self, batch: Batch) -> None:
        for frame in batch.frames or [_silence(batch)]:
            await self.send(text_data=frame.as_json())

    async def _refuse(self, error: Exception) -> None:
        problem = problem_of(error)
        await self.close(CLOSE_CODES.get(problem.status, INTERNAL_ERROR), problem.code)


def _done(greeting: Greeting) -> asyncio.Future[Greeting]:
    future: asyncio.Future[Greeting] = asyncio.get_running_loop().create_future()
    future.set_result(greeting)
    return future


def _silence(batch: Batch) -> Frame:
    return Frame(batch.resume, "keepalive", {})


def _greeting(raw: bytes) -> Greeting:
    """A frame of the client's: an object that may hold `token`, `workspace` (texts) and `last_event_id` (or number)."""
    if len(raw) > FRAME_LIMIT:
        raise MalformedError("The frame is too large.")
    greeting = jsontext.loads_object(raw)
    texts = all(isinstance(greeting.get(name, ""), str) for name in ("token", "workspace"))
    if not texts or not isinstance(greeting.get("last_event_id", ""), str | int):
        raise MalformedError("token, workspace and last_event_id are texts.")
    return greeting


class TaskConsumer(FeedConsumer):
    """/ws/tasks/{id}/: what happens to one task, from its beginning to its end."""

    async def feed(self, principal: Principal, last_id: str) -> Feed:
        task_id = self.scope["url_route"]["kwargs"]["task_id"]
        return feeds.task_feed(*await in_database(feeds.task_place, principal.workspace_id, task_id, last_id))


class MonitorConsumer(FeedConsumer):
    """/ws/monitor/: what happens to any task of the workspace, from now on."""

    async def feed(self, principal: Principal, last_id: str) -> Feed:
        return feeds.workspace_feed(principal.workspace_id, await in_database(feeds.cursor_of, last_id))


websocket_urlpatterns: list[URLPattern] = [
    re_path(r"^ws/tasks/(?P<task_id>[^/]+)/?$", TaskConsumer.as_asgi()),
    re_path(r"^ws/monitor/?$", MonitorConsumer.as_asgi()),
    re_path(r"", FeedConsumer.as_asgi()),
]
