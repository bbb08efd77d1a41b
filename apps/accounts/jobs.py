"""Celery's jobs of the accounts."""

from celery import shared_task

from apps.accounts.services import idempotency_purge


@shared_task(ignore_result=True)
def answers_purge() -> None:
    """Forget answers that no Idempotency-Key can ask for any more."""
    idempotency_purge()
