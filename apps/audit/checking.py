"""Verifying chains and keeping what was found, so that the console can say when something is wrong."""

import uuid

from django.utils import timezone

from apps.audit.models import AuditCheck
from apps.audit.verifying import Finding, chains, verify

FAULT_LENGTH = 255


def chain_check(workspace_id: uuid.UUID) -> tuple[int, Finding | None]:
    """`verify`, with what it found kept as the workspace's last check."""
    whole, finding = verify(workspace_id)
    fault = f"entry {finding.seq} {finding.fault}"[:FAULT_LENGTH] if finding else ""
    kept = {"at": timezone.now(), "entries": whole, "fault": fault}
    AuditCheck.objects.update_or_create(workspace_id=workspace_id, defaults=kept)
    return whole, finding


def chains_check() -> None:
    """Check the chains of all workspaces."""
    for workspace_id in chains():
        chain_check(workspace_id)
