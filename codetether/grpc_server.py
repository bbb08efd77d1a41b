"""The gRPC process: A2A's gRPC binding on a port of its own. Started by `codetether grpc` and by the supervisor."""

import asyncio
import gc
import logging
import os
import signal
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

import django

django.setup()

import uvloop
from django.conf import settings

from apps.a2a.grpc.server import GRACE_SECONDS, CannotListenError, make_server
from apps.accounts.permits import watch
from apps.core.db import close_pool
from apps.core.stopping import stopping
from apps.core.wakeups import hub

log = logging.getLogger(__name__)


async def serve() -> None:
    """Serve until SIGTERM or SIGINT; CannotListenError where the address cannot be listened on."""
    server, port = make_server(settings.A2A_GRPC_HOST, settings.A2A_GRPC_PORT)
    if not settings.A2A_AUTH_ENABLED:
        log.warning("A2A_AUTH_ENABLED=false: EVERYBODY WHO REACHES THIS SERVER IS ITS ADMIN")
    wakeups = hub()
    wakeups.listen()
    ended = asyncio.Event()
    # Ctrl-C is a stop like SIGTERM, and not an exception somewhere.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with stopping.watching_signals(), stopping.calling(ended.set):
            async with watch().awake():
                await server.start()
                gc.freeze()  # what the start has loaded stays: the collector need not go through it again
                log.info("gRPC on %s port %s", settings.A2A_GRPC_HOST, port)
                await ended.wait()
                await server.stop(GRACE_SECONDS)
    finally:
        await wakeups.close()
        close_pool()


def main() -> int:
    """Returns the exit code; what keeps it from listening is told in one line."""
    try:
        uvloop.run(serve())
    except CannotListenError as error:
        sys.stderr.write(f"codetether: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
