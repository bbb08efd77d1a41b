"""Who may watch, and for how long: a stream must not outlive the right to read it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import HTTPConnection

from apps.accounts.permissions import Scope
from apps.accounts.principals import Credentials, Principal, authenticate, remembered
from apps.core.db import in_database
from apps.core.errors import ForbiddenError
from apps.live.feeds import Batch, Feed

RECHECK_SECONDS = 60.0


async def reader(credentials: Credentials) -> Principal:
    """The principal who may read tasks; UnauthenticatedError or ForbiddenError where there is none."""
    known = remembered(credentials)
    principal = known if known is not None else await in_database(authenticate, credentials)
    principal.require(Scope.TASKS_READ)
    return principal


async def while_allowed(credentials: Credentials, feed: Feed) -> AsyncGenerator[Batch]:
    """The feed until its reader's token or session has ended, which `reader` raises then."""
    loop = asyncio.get_running_loop()
    checked = loop.time()
    async with aclosing(feed):
        async for batch in feed:
            if loop.time() - checked > RECHECK_SECONDS:
                await reader(credentials)
                checked = loop.time()
            yield batch


def refuse_foreign_page(connection: HTTPConnection) -> None:
    """A browser opens WebSockets for any page, with our cookie: only our own pages may (RFC 6455 §10.2).

    Programs send no `Origin`. Where the cookie is not what lets the caller in, this need not be asked.
    """
    origin = connection.headers.get("origin")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return
    if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
        raise ForbiddenError("This page is not ours: give a token in the first frame.")
