"""What the worker protocol refuses."""

from apps.core.errors import ForbiddenError, NotFoundError


class WorkerNotFoundError(NotFoundError):
    """No worker of that id has registered here: register (again), then go on."""

    code = "worker_not_found"


def not_registered() -> WorkerNotFoundError:
    """The refusal of whatever comes from a worker that we do not know."""
    return WorkerNotFoundError("No worker of that id has registered; register it first.")


def foreign_worker() -> ForbiddenError:
    """The refusal of a token bound to codebases that acts for a worker which serves others."""
    return ForbiddenError(
        "The worker of this id serves other codebases than this token: give it another id.", code="worker_forbidden"
    )


def worker_of_another_token() -> ForbiddenError:
    """The refusal of a token that acts for a worker which another token has registered."""
    return ForbiddenError(
        "Another token has registered the worker of this id: give this one another id, stop that one first, or revoke "
        "its token.",
        code="worker_forbidden",
    )


def no_such_role() -> NotFoundError:
    """The refusal of a role that no worker of the workspace ever had; another workspace's roles look the same."""
    return NotFoundError("There is no agent of this role.", code="role_not_found")
