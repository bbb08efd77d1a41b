"""The check behind the first law of the heart: a task's row is the fold of its log, and the log has no gaps.

Events that were removed for their age are no gap where the log says so (docs/decisions/0011-old-logs-grow-small.md).
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from apps.tasks.events import fold
from apps.tasks.models import Task, TaskEvent


def assert_rows_are_folds() -> None:
    """For every task in the database."""
    tasks = {task.id: task for task in Task.objects.all()}
    rows = TaskEvent.objects.order_by("task_id", "seq").values_list("task_id", "seq", "kind", "data", "position")
    for task_id, group in groupby(rows, key=lambda row: row[0]):
        assert_row_is_fold(tasks.pop(task_id), list(group))
    assert not tasks, f"tasks without a log: {list(tasks)}"


def seqs_of(seq: int, kind: str, data: Mapping[str, Any]) -> range:
    """The places in the log that an event fills: its own, or all that it stands for."""
    return range(data["first_seq"] if kind == "compacted" else seq, seq + 1)


def assert_row_is_fold(task: Task, rows: list[tuple[object, int, str, dict[str, Any], int]]) -> None:
    covered = [seq for _, seq, kind, data, _ in rows for seq in seqs_of(seq, kind, data)]
    assert covered == list(range(1, task.last_seq + 1)), "seq has a gap"
    assert [row[4] for row in rows] == sorted(row[4] for row in rows), "position falls within a task"
    facts = fold((row[2], row[3]) for row in rows)
    actual = {name: getattr(task, name) for name in facts}
    assert actual == facts
