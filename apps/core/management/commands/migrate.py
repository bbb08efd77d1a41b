"""`manage.py migrate`: run as the owner of the tables, which nothing else is, and ended with the walls between them.

An empty database is filled from the kept schema first; what that does not know yet comes by its migrations.
"""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from apps.core import kept_schema, row_security
from apps.core.tenancy import AS_OWNER, acting

IN_PART = ("app_label", "fake", "fake_initial", "prune")
"""Options of who wants something else than a database that is up to date."""


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> Any:
        # from the checks on, which ask the database: before the first migration there is no other role
        with acting(AS_OWNER):
            return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        with kept_schema.migrating(connection):
            if not any(options[name] for name in IN_PART) and kept_schema.load(connection):
                self._say(options["verbosity"], "Filled the empty database from the kept schema.")
            super().handle(*args, **options)
            row_security.build(connection)

    def _say(self, verbosity: int, line: str) -> None:
        if verbosity >= 1:
            self.stdout.write(line)
