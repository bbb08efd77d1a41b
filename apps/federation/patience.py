"""How the bridge waits: for an event, for a wake-up, for a database that is away."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from apps.core.db import in_database
from apps.core.errors import CodeTetherError
from apps.core.waiter import Waiter, WakeUp

log = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
AWAY_SECONDS = 1.0


async def riding_out(work: Coroutine[Any, Any, None]) -> None:
    """A database that is away, or an agent that cannot be served, must not end the bridge."""
    try:
        await work
    except AWAY as error:
        log.warning("the bridge waits for the database: %s", type(error).__name__)
        await asyncio.sleep(AWAY_SECONDS)
    except CodeTetherError as error:
        log.warning("the bridge: %s", error.detail)


async def persistently[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `in_database`, through an absence of the database that a lease may outlast. `work` may be done twice."""
    loop = asyncio.get_running_loop()
    lease_ends = loop.time() + settings.LEASE_SECONDS
    while True:
        try:
            return await in_database(work, *args, **kwargs)
        except AWAY:
            if loop.time() > lease_ends:
                raise
            await asyncio.sleep(AWAY_SECONDS)


async def hinted(waiter: Waiter, concerns: Callable[[WakeUp], bool], seconds: float) -> None:
    """Until a wake-up concerns us, or `seconds` have passed."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0:
        hints: list[WakeUp] = await waiter.wait(left)
        if any(map(concerns, hints)):
            return


async def until(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or `seconds` have passed."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
