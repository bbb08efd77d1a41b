"""The outbox: state changes handed to other parts exactly once, oldest first (several dispatchers may overtake).

A consumer is called inside the transaction that removes the entries, with all of them at once, so that it can look at
them by one query. What it writes to the database commits with the removal or not at all; what it must do elsewhere
(mail, webhooks) it writes down for a job of its own.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, transaction

from apps.tasks.models import OutboxEntry
from apps.tasks.services.statements import ended

log = logging.getLogger(__name__)

DISPATCH_LIMIT = 10_000
AT_ONCE = 100
"""Entries of one transaction. Where a consumer fails, each gets one of its own, so that only its own stays."""


@dataclass(frozen=True, slots=True)
class Change:
    """A task's state may have changed: the log says how, at `seq`."""

    workspace_id: uuid.UUID
    task_id: uuid.UUID
    seq: int
    kind: str


Consumer = Callable[[Sequence[Change]], None]
_consumers: list[Consumer] = []


def outbox_subscribe(consumer: Consumer) -> None:
    """Have `consumer` called once with every state change, several at a time; called when an app is ready."""
    if consumer not in _consumers:
        _consumers.append(consumer)


def outbox_dispatch(*, limit: int = DISPATCH_LIMIT) -> int:
    """Hand over up to `limit` entries; returns how many were. Safe beside others.

    An entry that a consumer cannot take stays for the next call, and the others go on.
    """
    done = looked_at = after = 0
    while looked_at < limit:
        ids = _next(after, min(AT_ONCE, limit - looked_at))
        if not ids:
            break
        done += _handed_over(ids)
        looked_at += len(ids)
        after = ids[-1]
    return done


def _next(after: int, number: int) -> list[int]:
    return list(OutboxEntry.objects.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:number])


def _handed_over(ids: Sequence[int]) -> int:
    """Those of `ids` that no other dispatcher has, in one transaction; or, when that fails, each in one of its own."""
    try:
        with transaction.atomic():
            free = OutboxEntry.objects.select_for_update(skip_locked=True)
            entries = list(free.filter(id__in=ids).order_by("id"))
            changes = [Change(entry.workspace_id, entry.task_id, entry.seq, entry.kind) for entry in entries]
            for consumer in _consumers if changes else ():
                consumer(changes)
            ended.add(Counter((change.workspace_id, change.kind) for change in changes))
            OutboxEntry.objects.filter(id__in=[entry.id for entry in entries]).delete()
    except (OperationalError, InterfaceError):  # the database is away: nobody's entry in particular
        raise
    except Exception:
        if len(ids) > 1:
            return sum(_handed_over([one]) for one in ids)
        log.exception("an outbox entry was not taken; it stays: %s", ids[0])
        return 0
    return len(entries)
