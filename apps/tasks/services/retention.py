"""Old logs grow small: long after a task's end its moves stay, and what was said in between is counted and removed.

What is removed is declared. A run of neighbouring events becomes one `compacted` event at the place of the last of
them, which covers the seqs of all: readers of any age go on from their place, and the log still has no gap. Events
are only replaced under the row's lock, a bounded number at a time, and a task is marked when all its log is done, so
the work may stop anywhere, begin again, and run beside itself.
"""

import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Case, F, JSONField, Q, QuerySet, Value, When
from django.db.models.functions import Now

from apps.tasks import events
from apps.tasks.models import Task, TaskEvent

TASKS_AT_ONCE = 100
EVENTS_AT_ONCE = 2_000
SECONDS = 300.0
"""How long one call may go on; the next goes on where it stopped."""
NEEDED_BY_THE_FOLD = ("session", "usage")


@dataclass(frozen=True, slots=True)
class Compaction:
    """How many tasks' logs are done, and how many events are gone."""

    tasks: int = 0
    events: int = 0

    def __add__(self, other: "Compaction") -> "Compaction":
        return Compaction(self.tasks + other.tasks, self.events + other.events)


@dataclass(frozen=True, slots=True)
class Line:
    """What has to be known of an event; `summary` is the data of one that is a summary itself."""

    seq: int
    kind: str
    summary: dict[str, Any] | None

    @property
    def first_seq(self) -> int:
        return self.seq if self.summary is None else int(self.summary["first_seq"])

    @property
    def kinds(self) -> Mapping[str, int]:
        return {self.kind: 1} if self.summary is None else self.summary["kinds"]


def events_compact(*, days: float, seconds: float = SECONDS) -> Compaction:
    """Compact the logs of tasks that ended more than `days` ago, oldest first, for about `seconds`."""
    until = time.monotonic() + seconds
    done = Compaction()
    while ids := list(_due(days).order_by("completed_at").values_list("id", flat=True)[:TASKS_AT_ONCE]):
        before = done
        for task_id in ids:
            done += _compact(task_id, until)
            if time.monotonic() >= until:
                return done
        if done == before:
            break  # others are at these; they will come to the rest, too
    return done


def events_compactable(*, days: float) -> Compaction:
    """What `events_compact` would do, without doing it; of each log it keeps up to two of these events."""
    due = _due(days)
    going = TaskEvent.objects.filter(task_id__in=due.values("id"), kind__in=events.COMPACTED)
    return Compaction(due.count(), going.count())


def _due(days: float) -> QuerySet[Task]:
    return Task.objects.filter(completed_at__lt=Now() - timedelta(days=days), compacted_at=None)


def _compact(task_id: uuid.UUID, until: float) -> Compaction:
    """Compact one log, unless another is at it or has done it; until its end, or the time's."""
    removed, place, kept = 0, 0, _needed(task_id)
    while True:
        with transaction.atomic():
            free = Task.objects.select_for_update(skip_locked=True, no_key=True).filter(compacted_at=None)
            if not free.filter(id=task_id).values_list("id").first():
                return Compaction(0, removed)
            lines = _lines(task_id, place)
            removed += sum(_replace(task_id, run) for run in _runs(lines, kept))
            if len(lines) < EVENTS_AT_ONCE:
                Task.objects.filter(id=task_id).update(compacted_at=Now())
                return Compaction(1, removed)
        place = lines[-1].seq  # read again: where a run is cut here, what stands for it grows
        if time.monotonic() >= until:
            return Compaction(0, removed)


def _needed(task_id: uuid.UUID) -> set[int]:
    """The events of these kinds that stay. The task has ended, so none will follow."""
    of_task = TaskEvent.objects.filter(task_id=task_id).order_by("-seq")
    last = (of_task.filter(kind=kind).values_list("seq", flat=True).first() for kind in NEEDED_BY_THE_FOLD)
    return {seq for seq in last if seq is not None}


def _lines(task_id: uuid.UUID, place: int) -> list[Line]:
    """Up to EVENTS_AT_ONCE events from `place` on, without reading what is in them."""
    summary = Case(When(kind="compacted", then=F("data")), default=Value(None, JSONField()), output_field=JSONField())
    rows = TaskEvent.objects.filter(task_id=task_id, seq__gte=place).order_by("seq").annotate(summary=summary)
    return [Line(*row) for row in rows.values_list("seq", "kind", "summary")[:EVENTS_AT_ONCE]]


def _runs(lines: Sequence[Line], kept: Collection[int]) -> Iterator[list[Line]]:
    """Neighbours that may go together; what was compacted before joins its neighbours."""

    def may_go(line: Line) -> bool:
        return line.kind == "compacted" or (line.kind in events.COMPACTED and line.seq not in kept)

    for going, group in groupby(lines, may_go):
        run = list(group)
        if going and any(line.summary is None for line in run):
            yield run


def _replace(task_id: uuid.UUID, run: Sequence[Line]) -> int:
    """Put one event in the place of a run; returns how many events are gone by that."""
    first, last, kinds = run[0], run[-1], Counter[str]()
    for line in run:
        kinds.update(line.kinds)
    event = events.compacted(first_seq=first.first_seq, last_seq=last.seq, kinds=kinds)
    here = Q(task_id=task_id)
    TaskEvent.objects.filter(here, seq__gte=first.seq, seq__lt=last.seq).delete()
    TaskEvent.objects.filter(here, seq=last.seq).update(kind=event.kind, data=event.data)
    return sum(line.summary is None for line in run)
