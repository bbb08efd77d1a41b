"""The bridge process: takes the tasks of remote agents to them (apps/federation). Stops within seconds of SIGTERM."""

import asyncio
import os
import signal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

import django

django.setup()

from apps.core.db import close_pool
from apps.core.wakeups import hub
from apps.federation.bridge import Bridge


async def serve() -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await Bridge().run(stop)
    finally:
        await hub().close()
        close_pool()


if __name__ == "__main__":
    asyncio.run(serve())
