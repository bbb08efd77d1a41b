"""Celery's job of notifications, and what starts it early."""

import logging
from collections.abc import Sequence

from celery import shared_task
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from apps.notifications.delivery import notices_deliver as deliver
from apps.notifications.due import is_anybody_told, notices_write
from apps.notifications.kinds import EVENTS
from apps.tasks.services.outbox import Change

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def notices_deliver() -> None:
    """Tell people's devices what needs them."""
    deliver()


def on_changes(changes: Sequence[Change]) -> None:
    """Outbox consumer: writes down who is to be told, and has them told right after the commit.

    Most changes are no news, and cost nothing here; where nobody has a device, those that are cost one look.
    """
    # the oldest come first, so of each task the last stays
    news = {change.task_id: (change.seq, change.kind) for change in changes if change.kind in EVENTS}
    if news and is_anybody_told() and notices_write(news):
        waiting = [call for _, call, *_ in connection.run_on_commit]
        if start not in waiting:
            transaction.on_commit(start)


def start() -> None:
    """Have the job run now. Where Redis is away it runs at its time, seconds later."""
    try:
        notices_deliver.apply_async(expires=30)
    except OperationalError as error:
        log.warning("notifications wait for the job's next time: %s", error)
