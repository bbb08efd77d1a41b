"""Bring the database up to date and make the first login; run as its own process by the supervisor.

Prints the login as JSON (`manage.py bootstrap --json`) on standard output; the rest goes to standard error.
"""

import sys

import django
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.core import kept_schema, row_security
from apps.core.tenancy import AS_OWNER, acting


def main() -> None:
    django.setup()
    try:
        connection.ensure_connection()
    except OperationalError as error:
        sys.exit(str(error).strip().partition("\n")[0])
    with acting(AS_OWNER):
        migrate()
    call_command("bootstrap", json=True, stdout=sys.stdout)


def migrate() -> None:
    """Apply what is missing. Nothing missing is the common case, and costs a few queries."""
    with kept_schema.migrating(connection):  # what is applied is to be read by one at a time, too
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, stdout=sys.stderr, skip_checks=True)
        else:
            row_security.build(connection)


if __name__ == "__main__":
    main()
