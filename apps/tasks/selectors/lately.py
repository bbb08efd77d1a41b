"""What has happened of late, for a page that is looked at all day: bounded, whatever the tables hold."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.prepared import execute

HOURS = 24
MOST_MOVES = 20_000
"""Tasks that are looked at, the latest; a workspace where more moved in HOURS hears of these only, and that."""
WORDS_FROM = 6
"""Events of which a task's last words are put together."""
WORDS_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Hour:
    """Tasks that ended within one hour. `seconds` is the median time that the completed took; None without any."""

    hours_ago: int
    completed: int = 0
    failed: int = 0
    others: int = 0
    seconds: float | None = None
    cost_usd: float = 0.0

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.others


@dataclass(frozen=True, slots=True)
class Lately:
    """The last HOURS hours, the oldest first. `is_capped`: there was more than is counted."""

    hours: list[Hour]
    is_capped: bool

    @property
    def completed(self) -> int:
        return sum(hour.completed for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)

    @property
    def cost_usd(self) -> float:
        return sum(hour.cost_usd for hour in self.hours)


_LATELY = """
SELECT greatest(0, least(floor(extract(epoch FROM statement_timestamp() - moved_at) / 3600)::int, %(hours)s - 1))
        AS hours_ago,
    count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'failed'),
    count(*) FILTER (WHERE state IN ('cancelled', 'rejected')),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - started_at)::float8)
        FILTER (WHERE state = 'completed' AND started_at IS NOT NULL),
    sum(CASE WHEN jsonb_typeof(usage -> 'cost_usd') = 'number' THEN (usage ->> 'cost_usd')::float8 ELSE 0 END), count(*)
FROM (
    SELECT state, moved_at, started_at, completed_at, usage FROM tasks_task
    WHERE workspace_id = %(workspace_id)s AND moved_at > statement_timestamp() - make_interval(hours => %(hours)s)
    ORDER BY moved_at DESC, id DESC LIMIT %(most)s
) moved GROUP BY 1"""


def lately(workspace_id: uuid.UUID) -> Lately:
    """How tasks of a workspace ended in the last HOURS hours, and what those that moved then have cost so far."""
    rows = execute(_LATELY, {"workspace_id": workspace_id, "hours": HOURS, "most": MOST_MOVES})
    found = {
        ago: Hour(ago, done, failed, others, seconds, cost) for ago, done, failed, others, seconds, cost, _ in rows
    }
    hours = [found.get(ago, Hour(ago)) for ago in range(HOURS - 1, -1, -1)]
    return Lately(hours, sum(row[-1] for row in rows) >= MOST_MOVES)


_WORDS = """
SELECT t.id, e.kind, COALESCE(e.data ->> 'content', e.data ->> 'title', e.data ->> 'tool', e.data ->> 'message', '')
FROM unnest(%(ids)s::uuid[]) AS t(id) CROSS JOIN LATERAL (
    SELECT seq, kind, data FROM tasks_taskevent WHERE task_id = t.id ORDER BY seq DESC LIMIT %(most)s
) e WHERE e.kind IN ('output', 'tool_use', 'status') ORDER BY t.id, e.seq"""


def last_words(task_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The end of what each task's agent has said or done last, WORDS_LENGTH characters at most."""
    said: dict[uuid.UUID, tuple[str, str]] = {}
    rows: list[Any] = list(execute(_WORDS, {"ids": list(task_ids), "most": WORDS_FROM})) if task_ids else []
    for task_id, kind, text in rows:
        before_kind, before = said.get(task_id, ("", ""))
        joins = kind == before_kind == "output"
        said[task_id] = (kind, before + text if joins else text)
    return {task_id: text[-WORDS_LENGTH:].strip() for task_id, (_, text) in said.items()}
