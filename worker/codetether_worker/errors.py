"""Everything the worker can fail with, and whose turn it is to act on it."""

from __future__ import annotations


class WorkerError(Exception):
    """Base of the worker's own errors; the text is fit to be shown to a person."""


class ConfigError(WorkerError):
    """A setting is wrong; the daemon does not start."""


class StateDirBusy(WorkerError):
    """Another running daemon owns the state directory."""


class ServerUnreachable(WorkerError):
    """No usable answer: network failure, time-out, 5xx or a rate limit that outlasted the retries.

    `retry_after` is in seconds when the server named a wait, else None.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerRefused(WorkerError):
    """A 4xx answer: asking again with the same content gives the same answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status}, {code})")
        self.status = status
        self.code = code
        self.detail = detail


class Unauthorized(ServerRefused):
    """401 or 403: the token is missing, wrong, or not allowed to act as a worker."""


class StaleClaim(ServerRefused):
    """The claim belongs to somebody else by now; whatever was queued for it must be dropped."""


class WorkerUnknown(ServerRefused):
    """The server has forgotten this worker; register again."""


class AgentError(WorkerError):
    """The agent program failed. `code` is stable; `retry` says whether another attempt may go better."""

    def __init__(self, message: str, *, code: str = "agent_error", retry: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry
