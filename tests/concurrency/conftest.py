"""Two actors, first and second, in a database that really commits.

Emptying all tables of the product after each of hundreds of tests, as `transactional_db` does, would take minutes;
here only those are emptied in which these tests write, and the actors keep their connections.
"""

from collections.abc import Iterator

import pytest
from django.db import connection

from apps.accounts.models import Workspace
from apps.codebases.models import Codebase
from apps.tasks.models import EndedTotal, OutboxEntry, QueueLimit, SweepTotal, Task, TaskEvent
from apps.tasks.services import finish
from apps.workers.models import Worker
from tests.concurrency.actors import Actor
from tests.factories import Cast

TABLES = (OutboxEntry, TaskEvent, Task, QueueLimit, SweepTotal, EndedTotal, Worker, Codebase)


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        empty_tables()
        yield
        empty_tables()


@pytest.fixture
def db(transactional_db: None) -> None:
    """What the workspace of all tests asks for."""


def empty_tables() -> None:
    with connection.cursor() as cursor:
        for model in TABLES:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    Workspace.objects.exclude(slug=Workspace.DEFAULT_SLUG).delete()


@pytest.fixture
def cast(transactional_db: None, workspace: Workspace) -> Cast:
    """The usual cast, in tables that other connections see."""
    return Cast(workspace)


@pytest.fixture(autouse=True)
def _long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause after a failure does not end while a test runs, however slow the machine."""
    monkeypatch.setattr(finish, "BACKOFF_FIRST", finish.BACKOFF_MOST)


@pytest.fixture(scope="session")
def _crew(django_db_setup: None) -> Iterator[list[Actor]]:
    crew = [Actor("first"), Actor("second")]
    yield crew
    for actor in crew:
        actor.end()


@pytest.fixture
def first(cast: Cast, _crew: list[Actor]) -> Iterator[Actor]:
    yield _crew[0].ready()
    _crew[0].leave()


@pytest.fixture
def second(cast: Cast, _crew: list[Actor]) -> Iterator[Actor]:
    yield _crew[1].ready()
    _crew[1].leave()
