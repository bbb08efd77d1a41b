"""The check behind the first law of the heart: a task's row is the fold of its log, and the log has no gaps."""

from itertools import groupby

from apps.tasks.events import fold
from apps.tasks.models import Task, TaskEvent


def assert_rows_are_folds() -> None:
    """For every task in the database."""
    tasks = {task.id: task for task in Task.objects.all()}
    rows = TaskEvent.objects.order_by("task_id", "seq").values_list("task_id", "seq", "kind", "data", "position")
    for task_id, group in groupby(rows, key=lambda row: row[0]):
        assert_row_is_fold(tasks.pop(task_id), list(group))
    assert not tasks, f"tasks without a log: {list(tasks)}"


def assert_row_is_fold(task: Task, rows: list[tuple[object, int, str, dict[str, object], int]]) -> None:
    assert [row[1] for row in rows] == list(range(1, task.last_seq + 1)), "seq has a gap"
    assert [row[4] for row in rows] == sorted(row[4] for row in rows), "position falls within a task"
    facts = fold((row[2], row[3]) for row in rows)
    actual = {name: getattr(task, name) for name in facts}
    assert actual == facts
