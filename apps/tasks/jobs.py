"""Celery's jobs of the heart. Each calls one service and may run twice, or beside itself, without harm."""

import logging

from celery import shared_task
from django.conf import settings

from apps.tasks.services import ended_recount as recount
from apps.tasks.services import events_compact as compact
from apps.tasks.services import files_purge as purge
from apps.tasks.services import leases_reap as reap
from apps.tasks.services import outbox_dispatch as dispatch

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def leases_reap() -> None:
    """Rescue tasks whose worker vanished and fail those whose deadline passed."""
    sweep = reap()
    if sweep.total:
        log.info("reaper: %s", sweep)


@shared_task(ignore_result=True)
def outbox_dispatch() -> None:
    """Hand state changes to the parts that wait for them."""
    dispatch()


@shared_task(ignore_result=True)
def ended_recount() -> None:
    """Count anew how many tasks have ended."""
    wrong = recount()
    if wrong:
        log.warning("numbers of ended tasks that were wrong, and are right now: %d", wrong)


@shared_task(ignore_result=True)
def files_purge() -> None:
    """Remove files that came with nothing, and those of tasks that ended long ago (A2A_RETENTION_DAYS)."""
    removed = purge(days=settings.RETENTION_DAYS)
    if removed:
        log.info("retention: %d files removed", removed)


@shared_task(ignore_result=True)
def events_compact() -> None:
    """Remove what was said in tasks that ended long ago; with A2A_RETENTION_DAYS=0 nothing ever goes."""
    if settings.RETENTION_DAYS:
        done = compact(days=settings.RETENTION_DAYS)
        if done.tasks:
            log.info("retention: %s", done)
