"""`manage.py rotate_secrets`: after a change of the secret key, seal all secrets anew under the present one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.resealing import secrets_reseal


class Command(BaseCommand):
    help = (
        "Seal all kept secrets (variables, remote agents' and push notifications' credentials) under the present "
        "CODETETHER_SECRET_KEY. Those under a key of CODETETHER_SECRET_KEY_FALLBACKS are opened; nothing is printed "
        "but how many."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = secrets_reseal()
        self.stdout.write(f"{found.done} secrets are sealed anew.")
        if found.lost:
            lost = "\n".join(found.lost)
            raise CommandError(f"{len(found.lost)} secrets no known key opens; give them again:\n{lost}")
