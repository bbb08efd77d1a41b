"""What the database holds, read at once: to compare with the model, and to show that a refusal changed nothing."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, Self
from uuid import UUID

from django.utils import timezone

from apps.tasks.events import POSTED, fold
from apps.tasks.models import OutboxEntry, QueueLimit, Task, TaskEvent
from tests.model.queue import Place

NAMES = {
    "state": "state", "attempt": "attempt", "max_attempts": "max_attempts", "priority": "priority",
    "worker_id": "worker", "claim_token": "token", "last_seq": "seq", "claim_seq": "claim_seq",
    "client_seq": "client_seq", "last_steering_seq": "steering", "heard_seq": "heard", "declined_by": "declined",
    "concurrency_key": "key",
}  # fmt: skip
"""By column, the model's word for it."""
LOG = ("task_id", "seq", "kind", "data", "position")
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Rows as they were at one time."""

    tasks: dict[UUID, Row]
    log: dict[UUID, list[Row]]
    outbox: list[tuple[UUID, int]]
    limits: list[Row]

    @classmethod
    def read(cls) -> Self:
        lines = TaskEvent.objects.order_by("task_id", "seq").values(*LOG)
        return cls(
            tasks={row["id"]: row for row in Task.objects.values()},
            log={task_id: list(log) for task_id, log in groupby(lines, key=lambda line: line["task_id"])},
            outbox=sorted(OutboxEntry.objects.values_list("task_id", "seq")),
            limits=list(QueueLimit.objects.order_by("id").values()),
        )

    def facts(self) -> dict[UUID, dict[str, object]]:
        """By task, the same facts that the model's `Task.facts` gives."""
        now = timezone.now()
        return {task_id: _facts(row, now) for task_id, row in self.tasks.items()}

    def limit_facts(self) -> dict[Place, tuple[int | None, bool, int]]:
        """By place, the same facts that the model's `Queue.limit_facts` gives."""
        return {
            (row["kind"], row["key"]): (row["most"], row["paused_at"] is not None, row["held"]) for row in self.limits
        }

    @cached_property
    def moves(self) -> list[tuple[UUID, int]]:
        """(task, seq) of every event that others must hear of."""
        return sorted(
            (line["task_id"], line["seq"]) for log in self.log.values() for line in log if line["kind"] in POSTED
        )

    def check_folds(self) -> None:
        """The first law (tests/fold.py): each row is the fold of its log, which is numbered without gaps."""
        assert set(self.tasks) == set(self.log)
        for task_id, log in self.log.items():
            row = self.tasks[task_id]
            assert [line["seq"] for line in log] == list(range(1, row["last_seq"] + 1)), "seq has a gap"
            positions = [line["position"] for line in log]
            assert positions == sorted(positions), "position falls within a task"
            facts = fold((line["kind"], line["data"]) for line in log)
            assert {name: row[name] for name in facts} == facts

    def check_append_only(self, before: "World") -> None:
        """What the log said before, it still says."""
        for task_id, log in before.log.items():
            assert self.log[task_id][: len(log)] == log, "the log was rewritten"


def _facts(row: Row, now: datetime) -> dict[str, object]:
    lease, deadline = row["lease_expires_at"], row["deadline_at"]
    times = {
        "lease": "" if lease is None else "live" if lease > now else "expired",
        "deadline": "" if deadline is None else "ahead" if deadline > now else "passed",
        "paused": row["available_at"] > now,
    }
    return times | {name: row[column] for column, name in NAMES.items()}


def follow_up_of(task_id: UUID) -> UUID:
    """The task that goes on with what was said too late."""
    return Task.objects.values_list("id", flat=True).get(idempotency_key=f"follow-up:{task_id}")
