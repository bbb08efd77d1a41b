"""What the heart refuses, and why."""

from apps.core.errors import ConflictError, InvalidError, NotFoundError


class TaskNotFoundError(NotFoundError):
    code = "task_not_found"


class RunNotFoundError(NotFoundError):
    code = "run_not_found"


class StaleClaimError(ConflictError):
    """The claim token is not (or no longer) the one that holds the task: another worker has it, or it has ended."""

    code = "stale_claim"


class AlreadyClaimedError(ConflictError):
    code = "already_claimed"


class TaskEndedError(ConflictError):
    """The task is in a terminal state, which absorbs."""

    code = "task_ended"


class WrongStateError(ConflictError):
    """The task is not in a state from which this can be done."""

    code = "wrong_state"


class UnknownEventError(InvalidError):
    """A worker sent an event of a kind or shape that is not in the schema."""

    code = "unknown_event"
