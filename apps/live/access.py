"""Who may watch, and for how long: a stream must not outlive the right to read it."""

import asyncio
from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import HTTPConnection

from apps.accounts.permissions import Scope
from apps.accounts.principals import Credentials, Principal, authenticate, remembered
from apps.core.db import in_database
from apps.core.errors import ForbiddenError

RECHECK_SECONDS = 60.0


async def reader(credentials: Credentials) -> Principal:
    """The principal who may read tasks; UnauthenticatedError or ForbiddenError where there is none."""
    known = remembered(credentials)
    principal = known if known is not None else await in_database(authenticate, credentials)
    principal.require(Scope.TASKS_READ)
    return principal


class Permit:
    """A reader's right to read on, as last asked for. No layer around the feed: each costs every event of a stream."""

    __slots__ = ("_asked_at", "_credentials", "_loop")

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._loop = asyncio.get_running_loop()
        self._asked_at = self._loop.time()

    @property
    def is_old(self) -> bool:
        return self._loop.time() - self._asked_at > RECHECK_SECONDS

    async def renew(self) -> None:
        """Ask again: raises as `reader` does once the token or session has ended."""
        await reader(self._credentials)
        self._asked_at = self._loop.time()


def refuse_foreign_page(connection: HTTPConnection) -> None:
    """A browser opens WebSockets for any page, with our cookie: only our own pages may (RFC 6455 §10.2).

    Programs send no `Origin`. Where the cookie is not what lets the caller in, this need not be asked.
    """
    origin = connection.headers.get("origin")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return
    if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
        raise ForbiddenError("This page is not ours: give a token in the first frame.")
