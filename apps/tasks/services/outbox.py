"""The outbox: state changes handed to other parts exactly once, oldest first (several dispatchers may overtake).

A consumer is called inside the transaction that removes the entry, so what it writes to the database commits with the
removal or not at all; what it must do elsewhere (mail, webhooks) it writes down for a job of its own.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from apps.tasks.models import OutboxEntry

DISPATCH_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A task's state may have changed: the log says how, at `seq`."""

    workspace_id: uuid.UUID
    task_id: uuid.UUID
    seq: int
    kind: str


Consumer = Callable[[Change], None]
_consumers: list[Consumer] = []


def outbox_subscribe(consumer: Consumer) -> None:
    """Have `consumer` called once for every state change; called when an app is ready."""
    if consumer not in _consumers:
        _consumers.append(consumer)


def outbox_dispatch(*, limit: int = DISPATCH_LIMIT) -> int:
    """Hand over up to `limit` entries, each in a transaction of its own; returns how many were. Safe beside others."""
    done = 0
    while done < limit and _dispatch_one():
        done += 1
    return done


def _dispatch_one() -> bool:
    with transaction.atomic():
        entry = OutboxEntry.objects.select_for_update(skip_locked=True).order_by("id").first()
        if entry is None:
            return False
        change = Change(entry.workspace_id, entry.task_id, entry.seq, entry.kind)
        for consumer in _consumers:
            consumer(change)
        entry.delete()
    return True
