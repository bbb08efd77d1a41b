"""What the worker protocol refuses."""

from apps.core.errors import NotFoundError


class WorkerNotFoundError(NotFoundError):
    """No worker of that id has registered here: register (again), then go on."""

    code = "worker_not_found"
