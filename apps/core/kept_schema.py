"""The kept schema: what all migrations make of an empty database, in one file that is loaded in a moment.

Django draws its models anew after each migration, which takes many times as long as the database needs
(docs/decisions/0024-a-kept-schema.md). `make schema` writes the file; a test holds it equal to the migrations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.transaction import atomic, set_rollback

FILE = Path(__file__).with_name("kept_schema.sql")
LOCK = 0x636F6465
"""Any number that nobody else locks: several servers may start on one database at the same time."""

_IS_EMPTY = """
SELECT current_schema() = 'public' AND NOT EXISTS (
    SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))"""


@contextmanager
def migrating(connection: Any) -> Iterator[None]:
    """Nobody else migrates this database meanwhile; may be nested. OperationalError where another does it too long."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def load(connection: Any) -> bool:
    """Fill an empty database, as the owner of its tables; whether that was done.

    A database that holds anything is left alone, as is one for which the file is not meant: it names migrations that
    are not installed, as with another release of a package. Migrations that the file does not know yet come after it.
    """
    with atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(_IS_EMPTY)
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(FILE.read_text(encoding="utf-8"))
        if MigrationRecorder(connection).applied_migrations().keys() <= MigrationLoader(None).disk_migrations.keys():
            return True
        set_rollback(True, using=connection.alias)
        return False
