"""`manage.py migrate`: run as the owner of the tables, which nothing else is, and ended with the walls between them."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from apps.core import row_security
from apps.core.tenancy import AS_OWNER, acting


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with acting(AS_OWNER):
            super().handle(*args, **options)
            if not (options["plan"] or options["check_unapplied"]):
                row_security.build(connections[options["database"]])
