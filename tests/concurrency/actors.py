"""Threads with database connections of their own, led step by step: who holds a row, who waits, who goes next."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Self

from django.db import connection, transaction

from apps.core.db import discard_dead_connections

PATIENCE = 10.0


class Actor:
    """One thread with one connection. `do` waits for the result; `start` gives a future, for what may have to wait."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._open = ExitStack()
        self.pid = 0

    def ready(self) -> Self:
        """With a connection that works, which the last test may have left without."""
        self.do(discard_dead_connections)
        self.pid = self.do(_backend_pid)
        return self

    def start[T](self, work: Callable[..., T], *args: Any, **kwargs: Any) -> "Future[T]":
        return self._thread.submit(work, *args, **kwargs)

    def do[T](self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return self.start(work, *args, **kwargs).result(PATIENCE)

    def begin(self) -> Self:
        """Open a transaction: what is done from now on keeps its locks until `commit` or `roll_back`."""
        self.do(self._open.enter_context, transaction.atomic())
        return self

    def commit(self) -> None:
        self.do(self._open.close)

    def roll_back(self) -> None:
        self.do(transaction.set_rollback, True)
        self.do(self._open.close)

    def leave(self) -> None:
        """Whatever is still open ends."""
        self.do(self._open.close)

    def end(self) -> None:
        self.leave()
        self.do(close_connection)
        self._thread.shutdown()


def close_connection() -> None:
    """Close the calling thread's connection: a pool's threads do so before they end."""
    connection.close()


def _backend_pid() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def wait_until_blocked(waiter: Actor, holder: Actor) -> None:
    """Return once `waiter`'s statement waits for a lock that `holder` has; fail when that does not come about."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [holder.pid, waiter.pid])
            if cursor.fetchone() == (True,):
                return
    raise AssertionError("nobody waits for the lock")
