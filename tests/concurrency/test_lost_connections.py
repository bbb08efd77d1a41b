"""The database goes away under a statement: callers learn that it was the database, and the next try works."""

import os
import socket

import pytest
from django.db import OperationalError, connection

from apps.core.db import discard_dead_connections
from apps.core.problems import problem_of
from apps.tasks.models import Task
from tests.concurrency.actors import Actor
from tests.factories import Cast


def cut() -> None:
    """The calling thread's connection loses its network, as when the server's machine dies."""
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def test_statement_on_a_cut_connection_says_that_the_database_is_away(cast: Cast, first: Actor) -> None:
    first.do(cut)
    with pytest.raises(OperationalError) as lost:
        first.do(cast.task)
    assert (problem_of(lost.value).status, problem_of(lost.value).code) == (503, "database_unavailable")
    assert not Task.objects.exists()


def test_next_call_has_a_connection_again(cast: Cast, first: Actor) -> None:
    first.do(cut)
    with pytest.raises(OperationalError):
        first.do(cast.task)
    first.do(discard_dead_connections)
    assert first.do(cast.task).id == Task.objects.get().id
