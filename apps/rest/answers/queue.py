"""Answers about the queue, its limits and its pauses."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Paged


class Limit(BaseModel):
    """What is set for a part of the queue. `most` null: no limit, so it is paused; `reason` says why it is."""

    kind: str
    key: str
    most: int | None
    held: int
    paused: bool
    paused_at: datetime | None
    reason: str | None
    changed_by: str
    changed_at: datetime


class LimitPage(Paged):
    limits: list[Limit]


class LimitChanged(Done):
    """`limit` is null where nothing is set any more."""

    limit: Limit | None


class QueueStatus(BaseModel):
    """`pending_by_reason` has every code of `why_pending_code`; `paused` is about the workspace as a whole."""

    counts: dict[str, int]
    total: int
    pending: int
    running: int
    pending_by_reason: dict[str, int]
    oldest_pending_seconds: float | None
    workers_connected: int
    paused: bool
    limits: list[Limit]
