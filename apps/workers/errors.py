"""What the worker protocol refuses."""

from apps.core.errors import NotFoundError


class WorkerNotFoundError(NotFoundError):
    """No worker of that id has registered here: register (again), then go on."""

    code = "worker_not_found"


def not_registered() -> WorkerNotFoundError:
    """The refusal of whatever comes from a worker that we do not know."""
    return WorkerNotFoundError("No worker of that id has registered; register it first.")
