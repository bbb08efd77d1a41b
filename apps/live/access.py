"""From which pages a browser may watch."""

from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import HTTPConnection

from apps.core.errors import ForbiddenError


def refuse_foreign_page(connection: HTTPConnection) -> None:
    """A browser opens WebSockets for any page, with our cookie: only our own pages may (RFC 6455 §10.2).

    Programs send no `Origin`. Where the cookie is not what lets the caller in, this need not be asked.
    """
    origin = connection.headers.get("origin")
    if origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
        return
    if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
        raise ForbiddenError("This page is not ours: give a token in the first frame.")
