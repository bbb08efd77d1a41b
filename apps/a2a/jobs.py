"""Celery's job of A2A, and what starts it early."""

import logging
from collections.abc import Sequence

from celery import shared_task
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from apps.a2a.push_cursor import configs_mark
from apps.a2a.push_delivery import push_deliver as deliver
from apps.tasks.services.outbox import Change

log = logging.getLogger(__name__)

UNTOLD = frozenset({"created", "lease_lost"})
"""Kinds in the outbox that no receiver is told of: the state is what it was."""


@shared_task(ignore_result=True)
def push_deliver() -> None:
    """Tell the receivers of push notifications what they have not heard yet."""
    deliver()


def on_changes(changes: Sequence[Change]) -> None:
    """Outbox consumer: whoever wants to hear of these tasks is due, and is told right after the commit."""
    # the oldest come first, so of each task the last seq stays
    news = {change.task_id: change.seq for change in changes if change.kind not in UNTOLD}
    if news and configs_mark(news):
        waiting = [call for _, call, *_ in connection.run_on_commit]
        if start not in waiting:
            transaction.on_commit(start)


def start() -> None:
    """Have the job run now. Where Redis is away it runs at its time, seconds later."""
    try:
        push_deliver.apply_async(expires=30)
    except OperationalError as error:
        log.warning("push notifications wait for the job's next time: %s", error)
