"""Why a guarded write had no effect: looked up after the fact, so it explains and never decides."""

import uuid

from apps.core.errors import ConflictError
from apps.tasks.errors import StaleClaimError, TaskEndedError, TaskNotFoundError, WrongStateError
from apps.tasks.models import Task
from apps.tasks.states import TERMINAL, State


def stale_claim(workspace_id: uuid.UUID, task_id: uuid.UUID) -> ConflictError:
    """The refusal for a holder's write that did not count; TaskNotFoundError is raised where there is no task."""
    state = state_of(workspace_id, task_id)
    return StaleClaimError(f"This claim does not hold the task any more (it is {state}); stop working on it.")


def wrong_state(workspace_id: uuid.UUID, task_id: uuid.UUID, wanted: str) -> ConflictError:
    """The refusal for a client's wish that does not fit the task's state."""
    state = state_of(workspace_id, task_id)
    if state in TERMINAL:
        return TaskEndedError(f"The task is {state}; it cannot be {wanted}.")
    return WrongStateError(f"The task is {state}; it cannot be {wanted} now.")


def state_of(workspace_id: uuid.UUID, task_id: uuid.UUID) -> State:
    """The task's state, or TaskNotFoundError."""
    found = Task.objects.filter(workspace_id=workspace_id, id=task_id).values_list("state", flat=True).first()
    if found is None:
        raise TaskNotFoundError("There is no such task.")
    return State(found)
