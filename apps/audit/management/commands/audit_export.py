"""`manage.py audit_export`: the audit trail as JSON lines."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.audit.exporting import lines


class Command(BaseCommand):
    help = "Print the audit entries of a workspace (or of all), oldest first, one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", type=uuid.UUID, help="only this workspace's (its id)")
        parser.add_argument("--after", type=int, default=0, help="only entries with a higher number")

    def handle(self, *args: Any, **options: Any) -> None:
        for line in lines(options["workspace"], after=options["after"]):
            self.stdout.write(line.decode())
