"""Routes of the protocol lane: what happens to tasks, as Server-Sent Events that a client can resume."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from apps.accounts.gate import Handler, credentials_of, guarded, unguarded
from apps.accounts.permissions import Scope
from apps.accounts.permits import permitted, room_for_stream
from apps.accounts.principals import Principal
from apps.core.db import in_database
from apps.core.errors import MalformedError
from apps.core.sse import EventStream, last_event_id
from apps.live import feeds
from apps.live.exports import EXPORTS, as_csv, as_json
from apps.live.feeds import Feed


async def codebase_events(request: Request, principal: Principal) -> Response:
    """What happens to a codebase's tasks, from now on; `?from=start` tells everything first."""
    codebase_id, beginning = request.path_params["codebase_id"], request.query_params.get("from", "now")
    place = await in_database(
        feeds.codebase_place, principal.workspace_id, codebase_id, last_event_id(request), beginning
    )
    return await _stream(request, feeds.codebase_feed(principal.workspace_id, place))


async def task_output(request: Request, principal: Principal) -> Response:
    """What happens to one task, from its beginning to its end."""
    task_id = request.path_params["task_id"]
    place = await in_database(feeds.task_place, principal.workspace_id, task_id, last_event_id(request))
    return await _stream(request, feeds.task_feed(*place))


async def monitor(request: Request, principal: Principal) -> Response:
    """What happens to any task of the workspace, as the log has it; `?from=start` tells everything first."""
    beginning = request.query_params.get("from", "now")
    cursor = await in_database(feeds.cursor_of, last_event_id(request), beginning)
    return await _stream(request, feeds.workspace_feed(principal.workspace_id, cursor))


async def export(request: Request, principal: Principal) -> Response:
    """Everything of `?of=` (messages, tasks or events) that the workspace has, as one document that is streamed."""
    name, form = request.query_params.get("of", "messages"), request.url.path.rpartition("/")[2]
    if name not in EXPORTS:
        message = f"Give one of {', '.join(EXPORTS)}."
        raise MalformedError(f"of: {message}", errors={"of": [message]})
    if name == "messages":
        principal.require(Scope.SESSIONS_READ)
    write, media_type = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(write(name, principal.workspace_id), headers=headers, media_type=media_type)


async def dashboard(request: Request) -> Response:
    """The monitor is the console's first page."""
    return RedirectResponse(DASHBOARD, 302)


async def _stream(request: Request, feed: Feed) -> EventStream:
    credentials = credentials_of(request)
    await room_for_stream(credentials)
    return EventStream(_framed(feed), while_allowed=permitted(credentials, Scope.TASKS_READ))


async def _framed(feed: Feed) -> AsyncGenerator[bytes]:
    async with aclosing(feed.pages) as pages:
        if feed.first is not None:
            yield feed.first.as_sse()
        async for page in pages:
            yield feed.batch_of(page).as_sse()


DASHBOARD = "/admin/"
FORMS = {"json": (as_json, "application/json"), "csv": (as_csv, "text/csv; charset=utf-8")}
PREFIXES = ("/v1/opencode", "/v1/agent")


def _read(path: str, handler: Handler) -> BaseRoute:
    return guarded(path, handler, methods=["GET"], scope=Scope.TASKS_READ)


routes: list[BaseRoute] = [
    *(_read(f"{prefix}/codebases/{{codebase_id}}/events", codebase_events) for prefix in PREFIXES),
    *(_read(f"{prefix}/tasks/{{task_id}}/output/stream", task_output) for prefix in PREFIXES),
    _read("/v1/monitor/stream", monitor),
    *(_read(f"/v1/monitor/export/{form}", export) for form in FORMS),
    unguarded("/v1/monitor", dashboard, methods=["GET"]),
    unguarded("/v1/monitor/", dashboard, methods=["GET"]),
]
