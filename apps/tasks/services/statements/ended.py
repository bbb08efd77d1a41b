"""How many tasks have ended, kept as they end: who asks for the number need not read all that ever was.

Whoever removes an outbox entry counts it in the same transaction; `selectors.counting` adds what is still in the
outbox. Nothing is asked of the statements that end tasks.
"""

import uuid
from collections.abc import Mapping

from django.db import connection

from apps.tasks.states import TERMINAL

ENDS = sorted(str(state) for state in TERMINAL)
"""Kinds of the events with which tasks end: each is named as the state."""
Numbers = Mapping[tuple[uuid.UUID, str], int]
"""By workspace and state."""

_ADD = """
INSERT INTO tasks_endedtotal AS kept (workspace_id, state, number)
SELECT w.id, e.state, e.number
FROM unnest(%(workspaces)s::uuid[], %(states)s::text[], %(numbers)s::bigint[]) AS e (workspace_id, state, number)
JOIN accounts_workspace w ON w.id = e.workspace_id
ORDER BY 1, 2
ON CONFLICT (workspace_id, state) DO UPDATE SET number = kept.number + excluded.number"""

_RECOUNT = """
WITH counted AS (
    SELECT workspace_id, state, sum(number) AS number FROM (
        SELECT workspace_id, state, count(*) AS number FROM tasks_task WHERE state = ANY(%(ends)s) GROUP BY 1, 2
        UNION ALL SELECT workspace_id, kind, -1 FROM tasks_outboxentry WHERE kind = ANY(%(ends)s)
        UNION ALL SELECT workspace_id, state, 0 FROM tasks_endedtotal
    ) each GROUP BY 1, 2
)
INSERT INTO tasks_endedtotal AS kept (workspace_id, state, number)
SELECT workspace_id, state, number FROM counted ORDER BY 1, 2
ON CONFLICT (workspace_id, state) DO UPDATE SET number = excluded.number WHERE kept.number <> excluded.number"""


def add(numbers: Numbers) -> None:
    """Count so many more that have ended. To be called in the transaction that removes their outbox entries."""
    ends = {place: number for place, number in numbers.items() if place[1] in ENDS}
    if ends:
        with connection.cursor() as cursor:
            workspaces, states = zip(*ends, strict=True)
            given = {"workspaces": list(workspaces), "states": list(states), "numbers": list(ends.values())}
            cursor.execute(_ADD, given)


def recount() -> int:
    """Count anew, in a transaction of the caller's; returns how many numbers were wrong. Other counters wait for it."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE tasks_endedtotal IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(_RECOUNT, {"ends": ENDS})
        return int(cursor.rowcount)
