"""The schema that is kept for empty databases: `python -m tests.kept_schema` (`make schema`) writes it anew.

`--compare` makes two databases, one from the file and one by the migrations alone, and shows where they differ.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection

from apps.core import kept_schema, row_security
from apps.core.tenancy import AS_OWNER, acting
from codetether.embedded import binaries, start

HEAD = """\
-- What all migrations make of an empty database. Written by `make schema`, never by hand (apps/core/kept_schema.py).

SET LOCAL check_function_bodies = false;
"""
FOR_ANY_OWNER = ("--no-owner", "--no-privileges")
NOISE = re.compile(r"(?m)^(--\n-- .*\n--\n|-- Dumped .*\n|SET \w+ = .*\n|SELECT pg_catalog\..*\n|\\.*\n)")
"""What pg_dump writes around the statements: headlines, settings, commands to psql."""
RANDOM = re.compile(r"(?m)^\\.*\n")
"""What it writes anew each time."""
MADE_AFTER_EACH_RUN = {"django_content_type", "auth_permission"}
"""By Django's `migrate`, whatever it has applied."""
ROWS = {
    "accounts_workspace": "SELECT format('INSERT INTO public.accounts_workspace (id, slug, name, created_at)"
    " VALUES (gen_random_uuid(), %L, %L, statement_timestamp());', slug, name) FROM accounts_workspace ORDER BY slug",
    "django_migrations": "SELECT format('INSERT INTO public.django_migrations (app, name, applied)"
    " VALUES (%L, %L, statement_timestamp());', app, name) FROM django_migrations ORDER BY app, name",
}
"""Tables that migrations fill, and how their rows are written: without what is another in every database."""


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 where file and migrations differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.kept_schema", description=__doc__)
    parser.add_argument("--compare", action="store_true", help="write nothing; show where file and migrations differ")
    options = parser.parse_args(arguments)
    with _server():
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "codetether.settings.base")
        django.setup()
        return _compare() if options.compare else _write()


@contextmanager
def _server() -> Iterator[None]:
    """That of DATABASE_URL and A2A_REDIS_URL, or embedded ones for the moment."""
    if os.environ.get("DATABASE_URL") and os.environ.get("A2A_REDIS_URL"):
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="codetether-schema-"))
    services = start(folder, durable=False)
    try:
        os.environ |= {"DATABASE_URL": services.database_url, "A2A_REDIS_URL": services.redis_url}
        os.environ["CODETETHER_DATA_DIR"] = str(folder / "data")
        yield
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _write() -> int:
    with _empty_database("migrated"), acting(AS_OWNER):
        call_command(migrate.Command(), verbosity=0)
        before, after = (_dump(f"--section={name}", *FOR_ANY_OWNER) for name in ("pre-data", "post-data"))
        parts = [HEAD, _statements(before), _inserts(), _statements(after)]
    kept_schema.FILE.write_text("\n".join(parts), encoding="utf-8")
    return 0


def _compare() -> int:
    with _empty_database("migrated"), acting(AS_OWNER):
        call_command(migrate.Command(), verbosity=0)
        row_security.build(connection)
        true = _dump() + _inserts()
    with _empty_database("kept"), acting(AS_OWNER):
        if not kept_schema.load(connection):
            print(f"{kept_schema.FILE.name} is of no use: it names migrations that are not there any more")
            return 1
        call_command("migrate", verbosity=0)
        kept = _dump() + _inserts()
    for line in difflib.unified_diff(kept.splitlines(), true.splitlines(), "kept", "migrated", n=2, lineterm=""):
        print(line)
    return int(kept != true)


@contextmanager
def _empty_database(suffix: str) -> Iterator[None]:
    """Django's connection leads to a new database beside its own, which is removed in the end."""
    before = connection.settings_dict["NAME"]
    name = f"{before}_{suffix}"
    _make_and_drop(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        _make_and_drop(f'DROP DATABASE "{name}"')


def _make_and_drop(*statements: str) -> None:
    with acting(AS_OWNER), connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _dump(*options: str) -> str:
    """The schema of Django's database as pg_dump tells it, the same for the same schema."""
    place = connection.settings_dict
    environment = {
        **os.environ,
        **{"PGHOST": place["HOST"], "PGPORT": str(place["PORT"]), "PGUSER": place["USER"]},
        **{"PGPASSWORD": place["PASSWORD"], "PGDATABASE": place["NAME"]},
    }
    command = [str(binaries.postgres_folder() / "pg_dump"), "--schema-only", *options]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return RANDOM.sub("", done.stdout)


def _statements(dump: str) -> str:
    """Only what makes the schema."""
    return re.sub(r"\n{3,}", "\n\n", NOISE.sub("", dump)).strip() + "\n"


def _inserts() -> str:
    """Statements that make the rows that migrations have made. Raises LookupError for a table that is new to this."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - MADE_AFTER_EACH_RUN
        lines = []
        for table in sorted(tables):
            cursor.execute(ROWS.get(table, f'SELECT * FROM "{table}" LIMIT 1'))
            rows = cursor.fetchall()
            if rows and table not in ROWS:
                raise LookupError(f"Migrations fill {table} now; say in ROWS how its rows are written.")
            lines += [line for (line,) in rows] if rows else []
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
