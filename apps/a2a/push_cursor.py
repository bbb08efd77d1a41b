"""Where each push notification config stands, in the database: marked due, taken, moved on, put off, given up.

Every write of a delivery is guarded by the `taken_until` that it holds: one that took too long, or whose config was
deleted, writes nothing.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.a2a.models import PushConfig, PushTotal
from apps.audit.actions import Action
from apps.audit.history import deed
from apps.audit.recording import record
from apps.core.posting import delay_after
from apps.core.prepared import execute

LEASE = timedelta(seconds=30)
"""How long a delivery holds a config from its last sign of life; more than any one POST takes."""
PER_HOST = 5
"""Deliveries to one receiver at once, so that a dead one cannot occupy all places."""
LOOKED_AT = 1_000
GIVEN_UP_AFTER = timedelta(hours=24)
SENT, FAILED, GIVEN_UP = "sent", "failed", "given_up"
OUTCOMES = (SENT, FAILED, GIVEN_UP)

_FREE = """{0}.given_up_at IS NULL AND ({0}.taken_until IS NULL OR {0}.taken_until < clock_timestamp())
    AND ({0}.due_at <= clock_timestamp() OR {0}.taken_until < clock_timestamp())"""
"""Due and held by nobody, or left behind by a delivery that died."""

_MARK = """
WITH due AS (
    SELECT c.id FROM a2a_face_pushconfig c
    JOIN unnest(%(tasks)s::uuid[], %(seqs)s::bigint[]) AS news(task_id, seq) ON news.task_id = c.task_id
    WHERE c.given_up_at IS NULL AND c.due_at IS NULL AND c.sent_seq < news.seq
    ORDER BY c.id FOR NO KEY UPDATE OF c
)
UPDATE a2a_face_pushconfig c SET due_at = clock_timestamp() FROM due WHERE c.id = due.id RETURNING c.id"""

_TAKE = f"""
WITH ready AS (
    SELECT c.id, c.host, c.due_at FROM a2a_face_pushconfig c
    WHERE {_FREE.format("c")} AND NOT c.host = ANY(%(full)s::text[])
    ORDER BY c.due_at LIMIT {LOOKED_AT}
), ranked AS (
    SELECT r.id, r.due_at, COALESCE(b.number, 0) + row_number() OVER (PARTITION BY r.host ORDER BY r.due_at, r.id) AS n
    FROM ready r LEFT JOIN unnest(%(hosts)s::text[], %(numbers)s::int[]) AS b(host, number) ON b.host = r.host
), mine AS (
    SELECT c.id FROM a2a_face_pushconfig c JOIN ranked ON ranked.id = c.id
    WHERE ranked.n <= {PER_HOST} AND {_FREE.format("c")}
    ORDER BY ranked.due_at LIMIT %(most)s FOR UPDATE OF c SKIP LOCKED
)
UPDATE a2a_face_pushconfig c SET due_at = NULL, taken_until = clock_timestamp() + %(lease)s
FROM mine WHERE c.id = mine.id RETURNING c.*"""

_ADVANCE = """
UPDATE a2a_face_pushconfig SET sent_seq = %(seq)s, last_sent_at = clock_timestamp(), attempts = 0,
    failing_since = NULL, last_error = '', taken_until = clock_timestamp() + %(lease)s
WHERE id = %(id)s AND taken_until = %(held)s RETURNING taken_until"""

_COUNT = """
INSERT INTO a2a_face_pushtotal AS t (workspace_id, outcome, number) VALUES (%(workspace_id)s, %(outcome)s, 1)
ON CONFLICT (workspace_id, outcome) DO UPDATE SET number = t.number + 1"""


def configs_mark(news: Mapping[uuid.UUID, int]) -> bool:
    """There is news of tasks, each up to a seq: whether anybody is to be told.

    Who waits to be tried again goes on waiting.
    """
    return bool(execute(_MARK, {"tasks": list(news), "seqs": list(news.values())}))


def configs_take(*, most: int, busy: Mapping[str, int]) -> list[PushConfig]:
    """Up to `most` configs that are due, the longest due first. `busy`: deliveries under way, by host."""
    params = {
        "most": most,
        "lease": LEASE,
        "full": [host for host, number in busy.items() if number >= PER_HOST],
        "hosts": list(busy),
        "numbers": list(busy.values()),
    }
    return list(PushConfig.objects.raw(_TAKE, params))


def config_advance(config: PushConfig, *, heard_seq: int) -> bool:
    """One was sent and there are more: whether to go on."""
    params = {"id": config.pk, "held": config.taken_until, "seq": heard_seq, "lease": LEASE}
    with transaction.atomic():
        for (config.taken_until,) in execute(_ADVANCE, params):
            _count(config, SENT)
            return True
    return False


def config_settle(config: PushConfig, *, heard_seq: int, was_sent: bool) -> None:
    """There is nothing more to tell for now."""
    success = {"attempts": 0, "failing_since": None, "last_error": "", "last_sent_at": Now()} if was_sent else {}
    with transaction.atomic():
        if _write(config, sent_seq=heard_seq, taken_until=None, **success) and was_sent:
            _count(config, SENT)


def config_postpone(config: PushConfig, *, reason: str, is_gone: bool, retry_after: float = 0.0) -> None:
    """It was not taken: again later, unless the receiver is gone for good or has failed for a day.

    `retry_after`: seconds that the receiver asked for.
    """
    now = timezone.now()
    since = config.failing_since or now
    gives_up = is_gone or now - since >= GIVEN_UP_AFTER
    values: dict[str, Any] = {
        "attempts": config.attempts + 1,
        "failing_since": since,
        "last_error": reason,
        "taken_until": None,
        "due_at": None if gives_up else Now() + timedelta(seconds=delay_after(config.attempts + 1, retry_after)),
        "given_up_at": Now() if gives_up else None,
    }
    with transaction.atomic():
        if _write(config, **values):
            _count(config, FAILED)
            if gives_up:
                _count(config, GIVEN_UP)


def config_retry(*, workspace_id: uuid.UUID, config_id: uuid.UUID, by: str) -> bool:
    """Try now, also one that was given up; whether it is there."""
    with deed(by):
        config = PushConfig.objects.select_for_update().filter(workspace_id=workspace_id, id=config_id).first()
        if config is None:
            return False
        PushConfig.objects.filter(pk=config.pk).update(due_at=Now(), given_up_at=None, failing_since=None, attempts=0)
        said = {"config_id": config.config_id, "host": config.host}
        record(Action.PUSH_RETRY, workspace_id=workspace_id, by=by, target=f"task:{config.task_id}", details=said)
    return True


def push_totals() -> dict[str, int]:
    """How many of each outcome there have been, of all workspaces."""
    totals = dict.fromkeys(OUTCOMES, 0)
    for outcome, number in PushTotal.objects.values_list("outcome", "number"):
        totals[outcome] = totals.get(outcome, 0) + number
    return totals


def push_pending() -> int:
    """Configs that are due, put off or being told now, of all workspaces."""
    waiting = PushConfig.objects.filter(due_at__isnull=False, given_up_at__isnull=True)
    return waiting.count() + PushConfig.objects.filter(taken_until__isnull=False, due_at__isnull=True).count()


def _write(config: PushConfig, **values: Any) -> bool:
    return bool(PushConfig.objects.filter(pk=config.pk, taken_until=config.taken_until).update(**values))


def _count(config: PushConfig, outcome: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"workspace_id": config.workspace_id, "outcome": outcome})
