"""The one table from what we refuse to what each binding of A2A says about it.

Codes, HTTP and gRPC statuses and reasons are the SDK's own tables (A2A 1.0 §5.4, 0.3 §8); ours adds which of our
errors is which of theirs. What is about the connection and not about A2A (no token, a missing scope, too many
requests, a database that is away) has no code there: it is told by the HTTP status, with the code -32000, which
JSON-RPC leaves to the implementation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from a2a.utils.error_handlers import build_error_details
from a2a.utils.errors import (
    JSON_RPC_ERROR_CODE_MAP,
    A2AError,
    ContentTypeNotSupportedError,
    InternalError,
    InvalidParamsError,
    InvalidRequestError,
    JSONParseError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from apps.core.errors import CodeTetherError
from apps.core.problems import problem_headers, problem_of

CONNECTION_ERROR = -32000
INTERNAL_ERROR = -32603
NEWER_CODES = frozenset({-32008, -32009})
"""Codes that A2A 0.3 does not know; its clients are told of an internal error instead."""

_BY_CODE: Mapping[str, type[A2AError]] = {
    "malformed": JSONParseError,
    "invalid": InvalidParamsError,
    "unprocessable": InvalidParamsError,
    "not_found": InvalidParamsError,
    "codebase_not_found": InvalidParamsError,
    "bad_last_event_id": InvalidParamsError,
    "too_large": InvalidRequestError,
    "unsupported_media_type": ContentTypeNotSupportedError,
    "task_not_found": TaskNotFoundError,
    "task_ended": UnsupportedOperationError,
    "wrong_state": UnsupportedOperationError,
    "conflict": UnsupportedOperationError,
}
_CONNECTION_STATUSES = frozenset({401, 403, 503})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as the bindings need it. `status` is the HTTP status of the JSON-RPC binding: 200 but for the
    connection's errors; `details` are google.rpc error details (A2A 1.0 §9.5)."""

    code: int
    message: str
    details: list[dict[str, Any]]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def _spelled(problem: CodeTetherError) -> A2AError:
    """The A2A error for one of ours; what nobody foresaw is told as an internal error."""
    kind = _BY_CODE.get(problem.code, InternalError)
    return kind(problem.detail, _data(problem))


def not_cancelable(error: CodeTetherError) -> A2AError:
    """A refused cancel has an error of its own (A2A 1.0 §3.1.5)."""
    return TaskNotCancelableError(error.detail, _data(error))


def refusal_of(error: Exception) -> Refusal:
    """What the JSON-RPC binding answers for any exception."""
    if isinstance(error, A2AError):
        known = error
    else:
        problem = problem_of(error)
        if problem.status in _CONNECTION_STATUSES:
            info = {**build_error_details(InternalError())[0], "reason": problem.code.upper()}
            return Refusal(CONNECTION_ERROR, problem.detail, [info], problem.status, problem_headers(problem))
        known = _spelled(problem)
    code = JSON_RPC_ERROR_CODE_MAP.get(type(known), INTERNAL_ERROR)
    return Refusal(code, known.message, build_error_details(known))


def error_object(refusal: Refusal, *, legacy: bool = False) -> dict[str, Any]:
    """The `error` member of a JSON-RPC answer; for 0.3 without codes and details that came later."""
    if not legacy:
        return {"code": refusal.code, "message": refusal.message, "data": refusal.details}
    code = INTERNAL_ERROR if refusal.code in NEWER_CODES else refusal.code
    return {"code": code, "message": refusal.message}


def _data(problem: CodeTetherError) -> dict[str, Any]:
    """What goes along as ErrorInfo metadata and field violations; the SDK publishes it unaltered."""
    data: dict[str, Any] = {"code": problem.code}
    if problem.errors:
        data["errors"] = [
            {"field": name, "message": message} for name, messages in problem.errors.items() for message in messages
        ]
    return data
