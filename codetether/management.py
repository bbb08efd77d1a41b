"""The management lane: all of Django, its whole middleware chain and view in one hop to a database thread.

Django's stock ASGI handler crosses between loop and thread several times a request (about 1 ms of CPU). Here the body
is read on the loop, then `get_response` runs synchronously on the bounded pool, whose threads keep their connections.
What the stock handler does and must not be lost is done here as well: request signals, the upload limit (the edge),
closing the response, and leaving off when the client has gone.

Calls of the REST face come with a token and want JSON, so sessions, messages, templates' headers and static files
mean nothing to them: they skip the middleware (measured: a third of a request), whose security headers the edge adds.
"""

import tempfile
from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.urls import get_resolver, set_script_prefix

from apps.accounts.admission import admit_stranger_now
from apps.core.db import in_database
from apps.core.limits import RateLimitedError
from apps.core.tenancy import Acting, acting, current
from apps.rest.problems import problem_answer

SPOOL_BYTES = 1_048_576
PROGRAMS = ("/v1/", "/agents")


class _Bare(BaseHandler):
    """Django's resolver, view and error handlers, without middleware."""

    _view_middleware = ()
    _template_response_middleware = ()
    _exception_middleware = ()

    def __init__(self) -> None:
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]


class ManagementLane(ASGIHandler):
    """An ASGI application for `http` scopes."""

    def __init__(self) -> None:
        super().__init__()
        self.bare = _Bare()
        get_resolver()._populate()  # else the first caller waits for all imports

    def load_middleware(self, is_async: bool = False) -> None:
        """For synchronous calls, whatever Django's own handler wishes; once: each time reads all of static/."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 (closed with the request)
        try:
            if await self._read_into(body, receive):
                response, whom = await in_database(self._respond, scope, body)
                with acting(whom):
                    await self._send(response, send)
        finally:
            body.close()

    async def _read_into(self, body: Any, receive: Any) -> bool:
        """Whether the whole body has come; False when the client has gone."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            body.write(message.get("body", b""))
            if not message.get("more_body"):
                body.seek(0)
                return True

    def _respond(self, scope: Any, body: Any) -> tuple[HttpResponseBase, Acting]:
        """The answer, and for whom it acts: what it streams is read from the database later."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None:
            return cast(HttpResponseBase, refusal), current()
        response = self._answer(cast(Any, request))
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        if not response.streaming:
            response.close()  # its content is bytes by now; closing here saves a second hop
        return response, getattr(response, "acting", current())

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PROGRAMS):
            return self.get_response(cast(Any, request))  # whose middleware counts the pages
        try:
            if "HTTP_AUTHORIZATION" not in request.META and settings.SESSION_COOKIE_NAME not in request.COOKIES:
                admit_stranger_now()
        except RateLimitedError as error:
            return problem_answer(error)
        return self.bare.get_response(cast(Any, request))

    async def _send(self, response: HttpResponseBase, send: Any) -> None:
        start = {"type": "http.response.start", "status": response.status_code, "headers": _headers(response)}
        if not response.streaming:
            await send(start)
            await send({"type": "http.response.body", "body": response.content})  # type: ignore[attr-defined]
            return
        try:
            await send(start)
            await self._send_stream(response, send)
        finally:
            await in_database(response.close)

    async def _send_stream(self, response: Any, send: Any) -> None:
        """Pieces are made in a thread, one at a time, so a stream of any size takes constant memory."""
        if response.is_async:
            async for piece in response.streaming_content:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        else:
            pieces = iter(response.streaming_content)
            while (piece := await in_database(_next, pieces)) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    pairs = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    cookies = [
        (b"set-cookie", cookie.output(header="").strip().encode("ascii")) for cookie in response.cookies.values()
    ]
    return pairs + cookies
