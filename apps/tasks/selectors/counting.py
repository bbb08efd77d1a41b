"""How many tasks there are. Exact, and at a cost that does not grow with what has ended; or honest about its bound."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from django.db.models import QuerySet

from apps.core.counting import Counted, counted
from apps.core.prepared import execute
from apps.tasks.models import Task
from apps.tasks.selectors.tasks import LOOKED_AT, TaskFilter, tasks_filtered
from apps.tasks.states import HELD, TERMINAL, State


def _listed(states: frozenset[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


_OPEN = f"""
SELECT 'pending' AS state, count(*) AS number FROM tasks_task WHERE state = 'pending'{{mine}}
UNION ALL SELECT state, count(*) FROM tasks_task WHERE state IN ({_listed(HELD)}){{mine}} GROUP BY state"""
_ENDED = f"""
SELECT state, number FROM tasks_endedtotal WHERE true{{mine}}
UNION ALL SELECT kind, 1 FROM tasks_outboxentry WHERE kind IN ({_listed(TERMINAL)}){{mine}}"""
_MINE = " AND workspace_id = %(workspace_id)s"
_SUMMED = "SELECT state, sum(number)::bigint FROM ({numbers}) counted GROUP BY state"

_OPEN_OF_ONE = _SUMMED.format(numbers=_OPEN.format(mine=_MINE))
_OF_ONE = _SUMMED.format(numbers=f"{_OPEN.format(mine=_MINE)} UNION ALL {_ENDED.format(mine=_MINE)}")
_OF_ALL = _SUMMED.format(numbers=f"{_OPEN.format(mine='')} UNION ALL {_ENDED.format(mine='')}")


def queue_counts(workspace_id: uuid.UUID) -> dict[str, int]:
    """How many tasks are in each state; states without any are 0."""
    return _by_state(dict(execute(_OF_ONE, {"workspace_id": workspace_id})), frozenset(State))


def queue_counts_of_all() -> dict[str, int]:
    """As `queue_counts`, of all workspaces together."""
    return _by_state(dict(execute(_OF_ALL, {})), frozenset(State))


def open_counts(workspace_id: uuid.UUID) -> dict[str, int]:
    """How many tasks are in each state that is not an end."""
    return _by_state(dict(execute(_OPEN_OF_ONE, {"workspace_id": workspace_id})), frozenset(State) - TERMINAL)


def _by_state(found: Mapping[str, int], states: frozenset[State]) -> dict[str, int]:
    return {str(state): int(found.get(state, 0)) for state in State if state in states}


def tasks_counted(workspace_id: uuid.UUID, wanted: TaskFilter, found: QuerySet[Task]) -> Counted:
    """How many tasks `tasks_filtered` has found: exactly where nothing but the state is asked for, as is known, else as
    `counted` does."""
    if replace(wanted, status="") == TaskFilter():
        return Counted(in_state(workspace_id, wanted.status))
    number = counted(found)
    if not wanted.q or number.is_capped:
        return number
    others = tasks_filtered(workspace_id, replace(wanted, q="")).order_by()[: LOOKED_AT + 1].count()
    return Counted(number.number, is_capped=others > LOOKED_AT)


def in_state(workspace_id: uuid.UUID, state: str) -> int:
    """How many are in the state; in all of them where none is named."""
    counts = queue_counts(workspace_id)
    return counts[state] if state else sum(counts.values())
