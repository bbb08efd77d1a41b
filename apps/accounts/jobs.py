"""Celery's jobs of the accounts."""

from celery import shared_task

from apps.accounts.login_sessions import old_logins_purge
from apps.accounts.services import idempotency_purge
from apps.accounts.services import logins_purge as purge_logins


@shared_task(ignore_result=True)
def answers_purge() -> None:
    """Forget answers that no Idempotency-Key can ask for any more."""
    idempotency_purge()


@shared_task(ignore_result=True)
def logins_purge() -> None:
    """Forget browser logins that are over."""
    purge_logins()
    old_logins_purge()
