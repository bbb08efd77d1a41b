"""`manage.py audit_export`: the audit trail as JSON lines."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.audit.actions import Action
from apps.audit.exporting import pieces
from apps.audit.recording import record
from apps.audit.verifying import chains


class Command(BaseCommand):
    help = "Print the audit entries of a workspace (or of all), oldest first, one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", type=uuid.UUID, help="only this workspace's (its id)")
        parser.add_argument("--after", type=int, default=0, help="only entries with a higher number")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = [options["workspace"]] if options["workspace"] else list(chains())
        for workspace_id in asked:
            details = {"after": options["after"], "by": "manage.py audit_export"}
            record(Action.EXPORT, workspace_id=workspace_id, target="audit", details=details)
            for piece in pieces(workspace_id, after=options["after"]):
                self.stdout.write(piece.decode(), ending="")
