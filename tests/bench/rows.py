"""Many tasks by one statement: copies of one that the product has made, whatever columns tasks have."""

import uuid
from collections.abc import Collection, Mapping

COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'tasks_task' ORDER BY 1"

FINISHED = {
    "id": "uuidv7(interval '-1 day')",
    "queue": "'global'",
    "state": "'completed'",
    "rank": "t.rank - 10000000 + n",
    "attempt": "1",
    "worker_id": "'bench'",
    "result": "'done'",
    "created_at": "t.created_at - interval '2 days'",
    "completed_at": "t.created_at - interval '1 day'",
}
"""A task that ended a day ago, of a queue that workers serve, and that would come before all that wait."""


def waiting(queue: str) -> dict[str, str]:
    """A task that waits in a queue."""
    return {"id": "uuidv7()", "queue": f"'{queue}'", "rank": "t.rank + n"}


def copies(columns: Collection[str], pattern: uuid.UUID, values: Mapping[str, str], count: int) -> str:
    """INSERT of copies of the task `pattern`, with these expressions over it (t) and the copy's number (n)."""
    assert values.keys() <= set(columns), values
    taken = ", ".join(values.get(name, f"t.{name}") for name in columns)
    return f"""INSERT INTO tasks_task ({", ".join(columns)}) SELECT {taken} FROM tasks_task t,
        generate_series(1, {count}) n WHERE t.id = '{pattern}'"""
