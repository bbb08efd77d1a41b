"""Celery's jobs of the audit trail."""

from celery import shared_task

from apps.audit.anchoring import heads_anchor


@shared_task(ignore_result=True)
def audit_anchor() -> None:
    """Tell where the chains end to where nobody can change it who can change the database."""
    heads_anchor()
