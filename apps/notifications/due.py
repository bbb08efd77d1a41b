"""What is still to be told, in the database: written down, taken, done, put off.

Every write of a delivery is guarded by the `taken_until` that it holds: where newer news has replaced the notice
meanwhile, or the delivery took too long, it writes nothing.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.posting import delay_after
from apps.core.prepared import execute
from apps.notifications.models import Notice, PushSubscription
from apps.notifications.services import device_sent

LEASE = timedelta(seconds=30)
"""How long a delivery holds a notice; more than its POST takes."""
PER_HOST = 20
"""Deliveries to one push service at once, so that a dead one cannot occupy all places."""
LOOKED_AT = 500
OUTDATED_AFTER = timedelta(hours=24)
"""Who could not be told for so long sees it when they next look."""

_WRITE = """
INSERT INTO notifications_notice AS n (workspace_id, subscription_id, task_id, seq, event)
SELECT t.workspace_id, s.id, t.id, news.seq, news.event
FROM unnest(%(tasks)s::uuid[], %(seqs)s::bigint[], %(events)s::text[]) AS news(task_id, seq, event)
JOIN tasks_task t ON t.id = news.task_id
JOIN accounts_membership m ON m.workspace_id = t.workspace_id
JOIN notifications_pushsubscription s ON s.user_id = m.user_id
ON CONFLICT (subscription_id, task_id) DO UPDATE
    SET seq = excluded.seq, event = excluded.event, since = clock_timestamp(), due_at = clock_timestamp(),
        taken_until = NULL, attempts = 0
    WHERE n.seq < excluded.seq
RETURNING n.id"""

_FREE = "due_at <= clock_timestamp() AND (taken_until IS NULL OR taken_until < clock_timestamp())"

_READY = f"""
SELECT n.id, s.host FROM notifications_notice n JOIN notifications_pushsubscription s ON s.id = n.subscription_id
WHERE {_FREE} ORDER BY n.due_at LIMIT {LOOKED_AT}"""

_TAKE = f"""
UPDATE notifications_notice SET taken_until = clock_timestamp() + %(lease)s
WHERE id IN (
    SELECT id FROM notifications_notice WHERE id = ANY(%(ids)s::bigint[]) AND {_FREE} FOR UPDATE SKIP LOCKED
) RETURNING id, taken_until"""


def is_anybody_told() -> bool:
    """Whether any device of anybody has notifications turned on."""
    return PushSubscription.objects.exists()


def notices_write(news: Mapping[uuid.UUID, tuple[int, str]]) -> bool:
    """(seq, kind) of an event of each task: a notice for every device of every member; whether there is any.

    It replaces what the device was to be told of the task before. Who may hear of it is decided when it is told.
    """
    seqs, events = zip(*news.values(), strict=True)
    return bool(execute(_WRITE, {"tasks": list(news), "seqs": list(seqs), "events": list(events)}))


def notices_take(*, most: int, busy: Mapping[str, int]) -> list[Notice]:
    """Up to `most` notices that are due and held by nobody, the longest due first. `busy`: under way, by host."""
    number, chosen = dict(busy), list[int]()
    for notice_id, host in execute(_READY, {}):
        if len(chosen) < most and number.get(host, 0) < PER_HOST:
            number[host] = number.get(host, 0) + 1
            chosen.append(notice_id)
    taken = dict(execute(_TAKE, {"ids": chosen, "lease": LEASE})) if chosen else {}
    found = Notice.objects.filter(id__in=taken).select_related("subscription__user").order_by("due_at")
    return [notice for notice in found if notice.taken_until == taken[notice.pk]]


def notice_done(notice: Notice, *, was_sent: bool) -> None:
    """It was told, or is no news any more."""
    with transaction.atomic():
        _held(notice).delete()
        if was_sent:
            device_sent(device_id=notice.subscription_id)


def notice_postpone(notice: Notice, *, reason: str, retry_after: float = 0.0) -> None:
    """It was not taken: again later, unless it is out of date by then. `retry_after`: seconds asked for."""
    attempts = notice.attempts + 1
    wait = timedelta(seconds=delay_after(attempts, retry_after))
    device = notice.subscription
    with transaction.atomic():
        if notice.since + OUTDATED_AFTER < timezone.now() + wait:
            _held(notice).delete()
        else:
            _held(notice).update(attempts=attempts, due_at=Now() + wait, taken_until=None)
        since = device.failing_since or Now()
        PushSubscription.objects.filter(id=device.pk).update(last_error=reason, failing_since=since)


def _held(notice: Notice) -> QuerySet[Notice]:
    return Notice.objects.filter(pk=notice.pk, taken_until=notice.taken_until)
