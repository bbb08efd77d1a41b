"""`manage.py audit_verify`: whether the audit trail is as it was written."""

import sys
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.audit.anchoring import anchors_in
from apps.audit.verifying import Anchor, chains, verify


class Command(BaseCommand):
    help = "Check each workspace's chain of audit entries; exit 1 and name the first that is not as it was written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", type=uuid.UUID, help="only the chain of this workspace (its id)")
        parser.add_argument("--anchors", type=Path, help="a log with 'audit head' lines to hold the chains against")

    def handle(self, *args: Any, **options: Any) -> None:
        anchors = _anchors(options["anchors"])
        asked = {options["workspace"]} if options["workspace"] else {*chains(), *(one.workspace_id for one in anchors)}
        findings = []
        for workspace_id in sorted(asked):
            whole, finding = verify(workspace_id, anchors)
            self.stdout.write(f"workspace {workspace_id}: {whole} entries are as they were written")
            if finding:
                findings.append(finding)
                self.stderr.write(str(finding))
        if findings:
            sys.exit(1)


def _anchors(path: Path | None) -> list[Anchor]:
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return list(anchors_in(lines))
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"--anchors: {error}") from error
