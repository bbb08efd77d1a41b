"""How many streams and WebSockets are open at once: in this process, and of each caller in all processes together."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from weakref import WeakSet

from django.conf import settings

from apps.accounts.principals import Principal
from apps.accounts.stream_places import RENEW_SECONDS, Places
from apps.core.errors import CodeTetherError

AGAIN_SECONDS = 5
_open: Counter[str] = Counter()
_asking: Counter[str] = Counter()
"""Streams for which a place is being asked."""
_renewing: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


class TooManyStreamsError(CodeTetherError):
    """The caller has as many streams open as it may; one of them must end first."""

    status, code = 429, "too_many_streams"


class StreamsFullError(CodeTetherError):
    """This process has no room for another stream; another one may."""

    status, code = 503, "streams_full"


async def check_room(principal: Principal | None) -> None:
    """Refuse a stream that would be one too many; None is a caller who is not known yet. The place is kept a while."""
    if _open.total() >= settings.MAX_STREAMS:
        raise StreamsFullError("This process has as many streams open as it may.", retry_after=AGAIN_SECONDS)
    if principal is not None:
        whose = _whose(principal)
        await _take(principal, _open[whose] + _asking[whose] + 1)


@asynccontextmanager
async def one_more(principal: Principal) -> AsyncIterator[None]:
    """A block that is one open stream of the principal's; refused where there is no room for it."""
    await check_room(None)
    whose = _whose(principal)
    _asking[whose] += 1
    try:
        await _take(principal, _open[whose] + _asking[whose])
    finally:
        _one_less(_asking, whose)
    _open[whose] += 1
    try:
        yield
    finally:
        _one_less(_open, whose)
        places().left(whose, settings.MAX_STREAMS_PER_CALLER)


def _one_less(counts: Counter[str], whose: str) -> None:
    counts[whose] -= 1
    if not counts[whose]:
        del counts[whose]


async def _take(principal: Principal, number: int) -> None:
    """A place for the caller's stream of that number here; TooManyStreamsError where all are taken."""
    whose, most = _whose(principal), settings.MAX_STREAMS_PER_CALLER
    if places().covers(whose, number):
        return
    _renew_from(asyncio.get_running_loop())
    if not await asyncio.wrap_future(places().take_soon(whose, number, most)):
        raise TooManyStreamsError(f"{principal.name} has {most} streams open: close one.", retry_after=AGAIN_SECONDS)


def _renew_from(loop: asyncio.AbstractEventLoop) -> None:
    """What this process holds is renewed by the loop's clock, as long as there is anything."""
    if loop not in _renewing:
        _renewing.add(loop)
        loop.call_later(RENEW_SECONDS, _renew, loop)


def _renew(loop: asyncio.AbstractEventLoop) -> None:
    _renewing.discard(loop)
    if _open or places().is_used:
        places().renew_soon()
        _renew_from(loop)


def _whose(principal: Principal) -> str:
    return principal.identity or f"name:{principal.name}"


def places() -> Places:
    """This process's."""
    return _places_at(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _places_at(url: str) -> Places:
    return Places(url, _open, _asking)
