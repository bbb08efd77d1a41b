"""Whether we are up (`/health`), and whether we can work (`/health/ready`).

Without Redis tasks are made, claimed and finished, and streams go on by polling; only the background jobs wait. So a
probe may ask `/health/ready?without=redis` (docs/decisions/0010-ready-without-redis.md).
"""

from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from apps.accounts.gate import json_response, unguarded
from apps.core.db import in_database
from apps.core.errors import MalformedError
from apps.core.wakeups import hub
from apps.tasks.log import POLL_SECONDS
from codetether import __version__

TIMEOUT_SECONDS = 2.0
DISPENSABLE = "redis"
"""The one check that a probe may leave out of its verdict."""
WITHOUT_REDIS = {
    "streams": f"poll every {POLL_SECONDS:g} s",
    "workers": f"hear of new work within {POLL_SECONDS:g} s instead of at once",
    "jobs": "wait: no lease is reaped and nothing is handed over until Redis is back",
}


async def health(request: Request) -> Response:
    """The process answers. `wakeups` says how its streams hear of news: connected, polling or idle (not subscribed)."""
    return json_response({"status": "healthy", "version": __version__, "wakeups": hub().state})


async def ready(request: Request) -> Response:
    """200 when database, Redis and migrations are fine; else 503 with what is wrong with which.

    With `without=redis` a missing Redis alone is 200 and the status `degraded`.
    """
    without = request.query_params.get("without", "")
    if without not in ("", DISPENSABLE):
        raise MalformedError(f"without: give {DISPENSABLE} or nothing.")
    checks = {
        "database": await in_database(_database),
        "redis": await in_database(_redis),
        "migrations": await in_database(_migrations),
    }
    return _verdict(checks, without)


def _verdict(checks: dict[str, str], without: str) -> Response:
    broken = [name for name, found in checks.items() if found != "ok"]
    is_ready = set(broken) <= {without}
    status = "unavailable" if not is_ready else "degraded" if broken else "ready"
    body: dict[str, Any] = {"status": status, "version": __version__, "checks": checks, "wakeups": hub().state}
    if "redis" in broken:
        body["degraded"] = WITHOUT_REDIS
    if not is_ready:
        body |= {"detail": f"Not ready: {', '.join(broken)}.", "code": "not_ready"}
    return json_response(body, 200 if is_ready else 503)


async def front_door(request: Request) -> Response:
    """People who open the root in a browser come to the console."""
    return RedirectResponse("/admin/")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return type(error).__name__
    return "ok"


def _redis() -> str:
    url = settings.REDIS_URL
    try:
        with redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except RedisError as error:
        return type(error).__name__
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return type(error).__name__
    return "ok" if not waiting else f"{len(waiting)} to apply"


routes: list[BaseRoute] = [
    unguarded("/health", health, methods=["GET"], counted=False),
    unguarded("/v1/health", health, methods=["GET"], counted=False),
    unguarded("/health/ready", ready, methods=["GET"], counted=False),
    unguarded("/", front_door, methods=["GET"]),
]
