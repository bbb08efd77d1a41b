"""Celery's jobs of the audit trail."""

from celery import shared_task

from apps.audit.anchoring import heads_anchor
from apps.audit.checking import chains_check


@shared_task(ignore_result=True)
def audit_anchor() -> None:
    """Tell where the chains end to where nobody can change it who can change the database."""
    heads_anchor()


@shared_task(ignore_result=True)
def audit_check() -> None:
    """Verify all chains, and keep what was found where the console shows it."""
    chains_check()
