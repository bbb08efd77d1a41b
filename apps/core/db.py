"""Database work from async code: a bounded thread pool whose threads keep their connections.

Django's own bridge runs all ORM work of a process on one thread. Here at most `DATABASE_THREADS` calls run at a
time, each thread owns one persistent connection, and a connection that the server has closed is noticed before it
is used (a poll of the socket, about a microsecond), so a restarted database costs no request more than those that
were under way.
"""

import os
import select
from collections.abc import Callable
from functools import lru_cache, partial

from django.conf import settings
from django.db import connections

from apps.core.threads import Threads


@lru_cache(maxsize=1)
def pool() -> Threads:
    """The process's only pool for database work."""
    return Threads(settings.DATABASE_THREADS, "db", connections.close_all)


os.register_at_fork(after_in_child=pool.cache_clear)  # a child has none of its parent's threads


def close_pool() -> None:
    """Let what runs end, then close the threads' connections; a later call of `in_database` makes a new pool."""
    pool().close()
    pool.cache_clear()


def discard_dead_connections() -> None:
    """Close connections that the server has hung up on or that an error left unusable; they reopen when needed."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is None or connection.in_atomic_block:
            continue
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        elif _hung_up(connection.connection):
            connection.close()


def _hung_up(raw: object) -> bool:
    """An idle connection has nothing to say: readable means that the server has closed it (libpq, PQsocket)."""
    pgconn = getattr(raw, "pgconn", None)
    if pgconn is None or getattr(raw, "closed", False):
        return True
    poller = select.poll()
    poller.register(pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poller.poll(0))


def _guarded[T](work: Callable[[], T]) -> T:
    discard_dead_connections()
    return work()


async def in_database[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking ORM work on the pool and wait for its result without blocking the event loop."""
    return await pool().run(partial(_guarded, partial(work, *args, **kwargs)))
