"""Two actors, first and second, in a database that really commits."""

from collections.abc import Iterator

import pytest

from apps.accounts.models import Workspace
from tests.concurrency.actors import Actor
from tests.factories import Cast


@pytest.fixture
def cast(transactional_db: None, workspace: Workspace) -> Cast:
    """The usual cast, in tables that other connections see."""
    return Cast(workspace)


@pytest.fixture
def first(cast: Cast) -> Iterator[Actor]:
    actor = Actor("first")
    yield actor
    actor.end()


@pytest.fixture
def second(cast: Cast) -> Iterator[Actor]:
    actor = Actor("second")
    yield actor
    actor.end()
