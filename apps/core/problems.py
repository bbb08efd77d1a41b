"""How an error looks on the wire: `{"detail", "code"[, "errors"]}` and the headers that belong to it."""

import logging
from typing import Any

from django.db import InterfaceError, OperationalError

from apps.core.errors import CodeTetherError, UnavailableError
from apps.core.metrics import ERRORS

log = logging.getLogger(__name__)


def problem_of(error: Exception) -> CodeTetherError:
    """The client-visible error for any exception, counted; what nobody foresaw is logged, with its traceback.

    Call it once for each answer.
    """
    problem = _problem_of(error)
    ERRORS.labels(problem.code).inc()
    return problem


def _problem_of(error: Exception) -> CodeTetherError:
    if isinstance(error, CodeTetherError):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        line = next(iter(str(error).splitlines()), type(error).__name__)
        log.error("the database did not answer: %s", line, exc_info=None if _is_away(error) else error)
        return UnavailableError("The database does not answer; try again.", code="database_unavailable", retry_after=1)
    log.error("unforeseen error", exc_info=error)
    return CodeTetherError("Something went wrong on our side; the server's log has the details.")


def _is_away(error: Exception) -> bool:
    """Whether there was no database to speak to; where it refused a statement, one wants to know which."""
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


def problem_body(problem: CodeTetherError) -> dict[str, Any]:
    """The JSON body of the REST face (contract: general rules)."""
    body: dict[str, Any] = {"detail": problem.detail, "code": problem.code}
    if problem.errors:
        body["errors"] = {field: list(messages) for field, messages in problem.errors.items()}
    return body


def problem_headers(problem: CodeTetherError) -> dict[str, str]:
    """`Retry-After` in seconds where trying again helps; `WWW-Authenticate` on 401 (RFC 9110 §11.6.1)."""
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="codetether"'
    return headers
