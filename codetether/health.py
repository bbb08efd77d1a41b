"""Whether we are up (`/health`), and whether we can work (`/health/ready`)."""

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
from codetether import __version__

TIMEOUT_SECONDS = 2.0


async def health(request: Request) -> Response:
    """The process answers."""
    return json_response({"status": "healthy", "version": __version__})


async def ready(request: Request) -> Response:
    """200 when database, Redis and migrations are fine; else 503 with what is wrong with which."""
    checks = {
        "database": await in_database(_database),
        "redis": await in_database(_redis),
        "migrations": await in_database(_migrations),
    }
    is_ready = all(found == "ok" for found in checks.values())
    body: dict[str, Any] = {
        "status": "ready" if is_ready else "unavailable",
        "version": __version__,
        "checks": checks,
    }
    if not is_ready:
        broken = ", ".join(name for name, found in checks.items() if found != "ok")
        body |= {"detail": f"Not ready: {broken}.", "code": "not_ready"}
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
    url = settings.CELERY_BROKER_URL
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
    unguarded("/health", health, methods=["GET"]),
    unguarded("/v1/health", health, methods=["GET"]),
    unguarded("/health/ready", ready, methods=["GET"]),
    unguarded("/", front_door, methods=["GET"]),
]
