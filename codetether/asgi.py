"""The two lanes over the same services, behind one edge (docs/architecture.md).

Protocol lane: A2A, worker protocol, streams, health: thin endpoints. Management lane: the rest, which is Django's.
"""

import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")  # noqa: TID251

import django

django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

from apps.a2a.routes import routes as a2a_routes
from apps.accounts.permits import watch
from apps.core.db import close_pool
from apps.core.stopping import stopping
from apps.core.wakeups import hub
from apps.files.routes import routes as file_routes
from apps.live.routes import routes as live_routes
from apps.live.sockets import websocket_urlpatterns
from apps.mcp.routes import closed as mcp_closed
from apps.mcp.routes import routes as mcp_routes
from apps.rest.express import routes as express_routes
from apps.workers.routes import routes as worker_routes
from codetether.edge import Edge
from codetether.health import routes as health_routes
from codetether.lanes import PlacedRouter
from codetether.management import ManagementLane
from codetether.metrics import routes as metrics_routes
from codetether.ports import ByPort

log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """The server's loop carries the process's wake-ups; open streams end when a signal ends the process."""
    if not settings.A2A_AUTH_ENABLED:
        log.warning("A2A_AUTH_ENABLED=false: EVERYBODY WHO REACHES THIS SERVER IS ITS ADMIN")
    if settings.A2A_CONFORMANCE:
        log.warning("A2A_CONFORMANCE=true: A2A MESSAGES GO TO THE AGENT OF A TEST KIT, NOT TO ONE THAT WORKS")
    wakeups = hub()
    wakeups.listen()
    gc.freeze()  # what the start has loaded stays: the collector need not go through it again
    try:
        with stopping.watching_signals():
            async with watch().awake():
                yield
    finally:
        await mcp_closed()
        await wakeups.close()
        close_pool()


# matched in this order
protocol_routes = [
    *express_routes,
    *a2a_routes,
    *worker_routes,
    *file_routes,
    *live_routes,
    *mcp_routes,
    *health_routes,
    *metrics_routes,
]
lanes = PlacedRouter(protocol_routes, default=ManagementLane(), lifespan=lifespan)

by_protocol = ProtocolTypeRouter({"http": lanes, "lifespan": lanes, "websocket": URLRouter(websocket_urlpatterns)})

application = Edge(ByPort(by_protocol))
