"""`manage.py flush`, run as the owner of the tables: emptying one is more than removing its rows."""

from typing import Any

from django.core.management.commands import flush

from apps.core.tenancy import AS_OWNER, acting


class Command(flush.Command):
    def handle(self, **options: Any) -> Any:
        with acting(AS_OWNER):
            return super().handle(**options)
