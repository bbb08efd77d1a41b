"""The states of a task, the edges between them, and who moves a task along each. Nothing else decides this.

    pending         waits for a worker. Left by a claim (worker), a cancel (client), a passed deadline (reaper)
    running         a worker holds the lease. Left by its finish, its question, a cancel, or the lease's end (reaper)
    input_required  the agent asked a person. Left by an answer (client), a cancel, or the worker's finish
    auth_required   as input_required, for credentials
    completed       the worker finished it with a result
    failed          the worker gave up, attempts are spent, or the deadline passed
    cancelled       a client ended it
    rejected        a worker refused it for good

The spelling is `cancelled` everywhere but on the A2A face, whose protocol has one l.
"""

from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    INPUT_REQUIRED = "input_required"
    AUTH_REQUIRED = "auth_required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


TERMINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.REJECTED})
ASKING = frozenset({State.INPUT_REQUIRED, State.AUTH_REQUIRED})
HELD = frozenset({State.RUNNING}) | ASKING
"""States in which a worker may hold the lease. A running task always has a holder; an asking one may have none."""

EDGES: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED, State.REJECTED}),
    State.RUNNING: TERMINAL | ASKING | {State.PENDING},
    State.INPUT_REQUIRED: TERMINAL | {State.RUNNING, State.PENDING},
    State.AUTH_REQUIRED: TERMINAL | {State.RUNNING, State.PENDING},
    **{state: frozenset[State]() for state in TERMINAL},
}


def may_move(before: State, after: State) -> bool:
    """Whether there is an edge from `before` to `after`."""
    return after in EDGES[before]


def sources_of(after: State) -> frozenset[State]:
    """The states from which a task may come to `after`."""
    return frozenset(before for before, targets in EDGES.items() if after in targets)
