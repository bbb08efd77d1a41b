"""The product's database work on the test's own connection, so that a test costs a transaction that is rolled back."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest
from django.db import connection, connections

from apps.core import db
from apps.core.threads import Threads


@contextmanager
def database_work_is_the_tests(runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `in_database` gets is done by one thread, which has the connection of the thread that enters here."""
    connection.inc_thread_sharing()
    with closing(Threads(1, "db-of-test")) as pool:
        runner.run(pool.run(partial(connections.__setitem__, "default", connections["default"])))
        monkeypatch.setattr(db, "pool", lambda: pool)
        yield
    connection.dec_thread_sharing()
