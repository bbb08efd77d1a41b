"""`manage.py bootstrap`: make the first admin and API token of a new installation."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.accounts.services import installation_prepare, local_worker_token


class Command(BaseCommand):
    help = "Make the first admin and API token of a new installation; does nothing where there is an admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the login as JSON, with 'created'.")

    def handle(self, *args: Any, **options: Any) -> None:
        login, created = installation_prepare(data_dir=settings.DATA_DIR)
        worker_token = local_worker_token(data_dir=settings.DATA_DIR)
        if options["json"]:
            said = {"created": created, "worker_token": worker_token, **(asdict(login) if login else {})}
            self.stdout.write(json.dumps(said))
        elif created:
            self.stdout.write(f"The first login is in {settings.DATA_DIR / 'credentials.json'}.")
        else:
            self.stdout.write("There is an admin already; nothing was changed.")
