"""How the tables are emptied after a transactional test: row by row, in one round trip.

Django truncates them all and then fills in its permissions again. That makes new files for each table and index, also
for the nine in ten that the test left empty: about a hundred times as slow.
"""

from functools import cache
from typing import Any

from django.db import connection, transaction

from apps.core.tenancy import AS_OWNER, acting

KEPT = {"django_content_type", "auth_permission"}
"""What Django's `migrate` writes, and no test."""


def empty_tables(_test: Any) -> None:
    """In the place of `TransactionTestCase._fixture_teardown`."""
    with acting(AS_OWNER), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_removal())  # references are looked at when all rows are gone: every one of ours can be deferred


@cache
def _removal() -> str:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return ";".join(f'DELETE FROM "{table}"' for table in tables if table not in KEPT)
