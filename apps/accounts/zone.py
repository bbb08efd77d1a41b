"""The console's times in its reader's own zone. The browser knows it: console.js tells it by a cookie."""

import zoneinfo
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

COOKIE = "codetether_zone"
CONSOLE = "/admin/"


class ReadersZone:
    """What the console's pages show, and the times that people write into its forms, are of the reader's zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(CONSOLE):
            return self.get_response(request)
        with zone_of(request):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> AbstractContextManager[None]:
    """The zone that the reader's cookie names; the server's, where it names none that there is."""
    name = request.COOKIES.get(COOKIE, "")
    return timezone.override(zoneinfo.ZoneInfo(name) if name in _known() else timezone.get_default_timezone())


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
