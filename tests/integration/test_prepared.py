"""Prepared statements on Django's connection: the same values straight through libpq as through psycopg's cursor."""

import uuid

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from apps.accounts.models import Workspace
from apps.core.prepared import execute
from apps.tasks.models import Task
from tests.factories import Cast

ID = uuid.UUID("01900000-0000-7000-8000-000000000001")
SQL = """
SELECT %(id)s::uuid, %(text)s::text, %(number)s::bigint, %(none)s::text, %(texts)s::text[], %(numbers)s::bigint[],
    %(at)s::timestamptz, %(json)s::jsonb, %(real)s::float8, %(id)s::uuid::text, '100%%' LIKE '%%\\%%'"""
PARAMS = {
    "id": ID, "text": "a 'b' \\ ü", "number": 2**40, "none": None, "texts": ["a,b", '"', ""], "numbers": [1, None],
    "at": None, "json": '{"a": [1]}', "real": 0.5,
}  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_values_are_the_same_with_and_without_a_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        params = PARAMS | {"at": cursor.fetchone()[0]}
    straight = execute(SQL, params)
    with transaction.atomic():
        assert execute(SQL, params) == straight
    assert straight[0][:5] == (ID, "a 'b' \\ ü", 2**40, None, ["a,b", '"', ""])
    assert straight[0][6] == params["at"]
    assert straight[0][6].tzinfo is params["at"].tzinfo


@pytest.mark.django_db(transaction=True)
def test_errors_are_djangos_and_the_connection_goes_on() -> None:
    insert = "INSERT INTO accounts_workspace (id, slug, name, created_at) VALUES (%(id)s, 's', 'n', now()) RETURNING id"
    execute(insert, {"id": ID})
    with pytest.raises(IntegrityError):
        execute(insert, {"id": ID})
    with pytest.raises(DataError):
        execute("SELECT %(x)s::int", {"x": "none"})
    assert execute("SELECT 1", {}) == [(1,)]
    assert Workspace.objects.filter(slug="s").count() == 1


@pytest.mark.django_db(transaction=True)
def test_statement_in_a_transaction_goes_with_it() -> None:
    insert = "INSERT INTO accounts_workspace (id, slug, name, created_at) VALUES (%(id)s, 's', 'n', now()) RETURNING id"
    with transaction.atomic():
        execute(insert, {"id": ID})
        transaction.set_rollback(True)
    assert not Workspace.objects.filter(slug="s").exists()


@pytest.mark.django_db(transaction=True)
def test_statements_are_prepared_anew_on_a_new_connection() -> None:
    assert execute("SELECT %(x)s::int", {"x": 1}) == [(1,)]
    connection.close()
    assert execute("SELECT %(x)s::int", {"x": 2}) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_the_made_task_is_its_row(cast: Cast) -> None:
    made = cast.task(metadata={"a": [1]}, requires=["gpu"], deadline_seconds=60, idempotency_key="k")
    row = Task.objects.get()
    assert {field.attname: getattr(made, field.attname) for field in Task._meta.concrete_fields} == {
        field.attname: getattr(row, field.attname) for field in Task._meta.concrete_fields
    }


@pytest.mark.parametrize(
    "values",
    [
        [],
        ["plain", "", " spaced "],
        ['quo"ted', "back\\slash", "{curly,comma}", "NULL", "null", "line\nbreak", "ünïcode"],
        ["with our separator \x1e in it", "x"],
        ["\x1e"],
    ],
)
def test_texts_come_back_from_an_array_as_they_were(db: None, values: list[str]) -> None:
    assert execute("SELECT %(values)s::text[]", {"values": values}) == [(values,)]


def test_numbers_and_ids_come_back_from_an_array_as_they_were(db: None) -> None:
    numbers, ids = [3, -1, 2**62], [uuid.uuid4(), uuid.uuid4()]
    found = execute("SELECT %(numbers)s::bigint[], %(ids)s::uuid[]", {"numbers": numbers, "ids": ids})
    assert found == [(numbers, ids)]
