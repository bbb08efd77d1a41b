"""However much there is, no page and no list reads a big table from end to end.

PostgreSQL counts what a transaction scans: that holds for whatever a page asks, by the ORM or by hand, also inside
functions. What was made is vacuumed and analysed first, as in a database that lives.
"""

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from apps.accounts.models import Workspace
from apps.accounts.permissions import Role
from apps.core.tenancy import AS_OWNER, EVERYWHERE, acting
from apps.sessions.search import search_update
from tests.bench.pages import LISTED, SHOWN, Visitor, places
from tests.factories import Cast

pytestmark = pytest.mark.django_db(transaction=True)

BIG = [
    "tasks_task", "tasks_taskevent", "agent_sessions_agentsession", "agent_sessions_sessionmessage",
    "agent_sessions_sessionpart", "agent_sessions_searchentry",
]  # fmt: skip
SCANS = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname = ANY(%s) ORDER BY 1"


@pytest.fixture
def visitor(db: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """In a database with so much in it that an index is worth its while."""
    monkeypatch.setattr("apps.tasks.services.seeding.SESSION_EVERY", 2)
    cast = Cast(Workspace.objects.get_or_create(slug=Workspace.DEFAULT_SLUG, defaults={"name": "Default"})[0])
    call_command("seed_demo", scale=1_500, verbosity=0)
    search_update()
    with acting(AS_OWNER), connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(BIG)}")
    cast.user("root", is_superuser=True, is_staff=True)
    return Visitor(cast.token(Role.ADMIN), "root", places())


def scans() -> dict[str, int]:
    """How often this connection has read each big table from end to end, as far as it has not told the others yet."""
    with connection.cursor() as cursor:
        cursor.execute(SCANS, [BIG])
        return dict(cursor.fetchall())


def scanned(visitor: Visitor, path: str) -> list[str]:
    """The big tables that were read from end to end for the page."""
    with transaction.atomic(), acting(EVERYWHERE):
        before = scans()
        assert visitor.ask(path) == 200, path
        return [name for name, number in scans().items() if number > before[name]]


def test_nothing_shown_reads_a_big_table_from_end_to_end(visitor: Visitor) -> None:
    # of a word that many messages hold, so small a table is rightly read from end to end: ask for one that few do
    found = {path: scanned(visitor, path.replace("gazebo", "leak")) for path in (*SHOWN, *LISTED)}
    assert {path: tables for path, tables in found.items() if tables} == {}
    with transaction.atomic(), connection.cursor() as cursor:  # and one that did would be noticed
        before = scans()["tasks_task"]
        cursor.execute("SELECT count(*) FROM tasks_task WHERE title LIKE '%till%'")
        assert scans()["tasks_task"] == before + 1
