"""The second wall between workspaces: what the database itself shows and takes, whatever a query forgets to ask for."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.accounts.models import Workspace
from apps.codebases.models import Codebase
from apps.core.row_security import OPEN, tenant_tables
from apps.core.tenancy import APP_ROLE, EVERYWHERE, NOBODY, Acting, acting, of_workspaces, together
from apps.files.models import FileChunk, StoredFile
from apps.tasks.models import Task
from tests.factories import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(cast: Cast) -> Cast:
    """Another workspace with a codebase and a task of its own."""
    other = Cast(Workspace.objects.create(slug="theirs", name="Theirs"))
    other.task("their work")
    cast.task("our work")
    return other


def rows(table: str, sql: str = "SELECT count(*) FROM {}") -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(table))
        return int(cursor.fetchone()[0])


def ours(cast: Cast) -> Acting:
    return of_workspaces(cast.workspace.id)


def test_every_table_of_workspaces_has_its_wall() -> None:
    """A table with a workspace's rows is walled, forced on its owner too, or named as open with the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS "
            "(SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'of_acting_workspace') "
            "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
        )
        found = dict(cursor.fetchall())
    assert {table for table, is_walled in found.items() if not is_walled} <= OPEN
    assert {"tasks_task", "tasks_taskevent", "files_filechunk"} <= {table for table, _ in tenant_tables()}


def test_statements_run_as_a_role_that_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (APP_ROLE, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_a_query_without_a_filter_shows_only_ours(cast: Cast, theirs: Cast) -> None:
    with acting(ours(cast)):
        assert {task.workspace_id for task in Task.objects.all()} == {cast.workspace.id}
        assert rows("tasks_taskevent", "SELECT count(DISTINCT workspace_id) FROM {}") == 1


def test_nobody_sees_nothing(cast: Cast, theirs: Cast) -> None:
    with acting(NOBODY):
        assert [rows(table) for table, _ in tenant_tables()] == [0] * len(list(tenant_tables()))


def test_several_workspaces_at_once(cast: Cast, theirs: Cast) -> None:
    with acting(together([ours(cast), of_workspaces(theirs.workspace.id), NOBODY])):
        assert Task.objects.count() == 2
    assert together([ours(cast), EVERYWHERE]) == EVERYWHERE


def test_rows_of_a_parent_are_behind_its_wall(cast: Cast, theirs: Cast) -> None:
    file = StoredFile.objects.create(workspace=theirs.workspace, name="plan.txt", size=3)
    FileChunk.objects.create(file=file, number=0, content=b"abc")
    with acting(ours(cast)):
        assert FileChunk.objects.count() == 0
    with acting(of_workspaces(theirs.workspace.id)):
        assert FileChunk.objects.count() == 1


@pytest.mark.parametrize("change", ["UPDATE tasks_task SET updated_at = now()", "DELETE FROM tasks_outboxentry"])
def test_changes_without_a_filter_reach_only_ours(cast: Cast, theirs: Cast, change: str) -> None:
    with acting(ours(cast)), connection.cursor() as cursor:
        cursor.execute(change)
        assert cursor.rowcount == 1


def test_a_row_for_another_workspace_is_refused(cast: Cast, theirs: Cast) -> None:
    before = Codebase.objects.count()
    with acting(ours(cast)), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Codebase.objects.create(id="c-1", workspace=theirs.workspace, name="c", path="/c")
    assert Codebase.objects.count() == before


def test_a_row_cannot_be_moved_to_another_workspace(cast: Cast, theirs: Cast) -> None:
    with acting(ours(cast)), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Task.objects.update(workspace=theirs.workspace)
    assert Task.objects.filter(workspace=cast.workspace).count() == 1


def test_the_wall_cannot_be_taken_down_by_who_is_behind_it(cast: Cast) -> None:
    for attempt in ("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "DROP POLICY of_acting_workspace ON {}"):
        with acting(ours(cast)), pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
            rows("tasks_task", attempt)


@pytest.mark.django_db(transaction=True)
def test_a_connection_acts_for_nobody_that_used_it_before(cast: Cast, theirs: Cast) -> None:
    """One connection, two workspaces by turns: alone, in transactions, after a rollback and in the middle of one."""
    mine, other = ours(cast), of_workspaces(theirs.workspace.id)

    def seen() -> set[uuid.UUID]:
        return set(Task.objects.values_list("workspace_id", flat=True))

    for _ in range(2):
        with acting(mine):
            assert seen() == {cast.workspace.id}
        with acting(other), transaction.atomic():
            assert seen() == {theirs.workspace.id}
            with acting(mine):
                assert seen() == {cast.workspace.id}
            assert seen() == {theirs.workspace.id}
        with acting(mine), transaction.atomic():
            with acting(other):
                assert seen() == {theirs.workspace.id}
            transaction.set_rollback(True)
        with acting(other):
            assert seen() == {theirs.workspace.id}
        with acting(NOBODY):
            assert seen() == set()


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_is_rolled_back_leaves_us_acting_for_whom_we_say(cast: Cast, theirs: Cast) -> None:
    with acting(ours(cast)), transaction.atomic():
        assert Task.objects.count() == 1
        with acting(EVERYWHERE), transaction.atomic():
            assert Task.objects.count() == 2
            transaction.set_rollback(True)
        assert Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_threads_at_once_each_see_their_own(cast: Cast, theirs: Cast) -> None:
    def count_of(whom: Acting) -> set[uuid.UUID]:
        try:
            with acting(whom):
                return {found for _ in range(20) for found in Task.objects.values_list("workspace_id", flat=True)}
        finally:
            connection.close()

    both = [ours(cast), of_workspaces(theirs.workspace.id)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(count_of, both * 4))
    assert found == [{cast.workspace.id}, {theirs.workspace.id}] * 4
