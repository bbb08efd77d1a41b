"""The shapes of what workers offer, and of the queue before them, as clients see them: every face's schema."""

from pydantic import BaseModel

from apps.tasks.shapes import Limit


class Model(BaseModel):
    id: str
    name: str
    provider: str
    workers_available: int
    programs: list[str]


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
