"""What all tests share: a clean database, the default workspace, the cast, and the law checked after each test."""

import gc
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase

from apps.accounts.models import Workspace
from apps.accounts.principals import forget_tokens
from apps.audit.allowance import REFUSALS
from apps.core import db, limits
from apps.core.tenancy import AS_OWNER, acting
from tests.emptying import empty_tables
from tests.factories import Cast
from tests.fold import assert_rows_are_folds
from tests.held import assert_limits_count_what_is_held

collect_ignore_glob = ["bench/*"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What all tests share stays: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_by_rows() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session", autouse=True)
def _database_threads_end(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Connections of the product's thread pool would keep the test database from being dropped."""
    yield
    db.close_pool()
    if not str(connection.settings_dict["NAME"]).startswith("test_"):
        return  # no test needed a database, so none was made
    with django_db_blocker.unblock(), acting(AS_OWNER), connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    connections.close_all()


@pytest.fixture(autouse=True)
def _forget_tokens() -> Iterator[None]:
    yield
    forget_tokens()
    REFUSALS.clear()


@pytest.fixture
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls are counted from nothing, and apart from those of other tests."""
    monkeypatch.setattr(limits, "PREFIX", f"test-limits-{uuid.uuid4().hex}")
    limits._counter_at.cache_clear()
    yield
    limits._counter_at.cache_clear()


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    """The default workspace (transactional tests have emptied the tables, so it is made again).

    Afterwards the first laws are checked for whatever the test did: folding each task's log gives its row, and limits
    count what is held.
    """
    yield Workspace.objects.get_or_create(slug=Workspace.DEFAULT_SLUG, defaults={"name": "Default"})[0]
    assert_rows_are_folds()
    assert_limits_count_what_is_held()


@pytest.fixture
def cast(workspace: Workspace) -> Cast:
    """The usual people, programs and things; see tests/factories."""
    return Cast(workspace)
