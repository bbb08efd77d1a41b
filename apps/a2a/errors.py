"""The one table from what we refuse to what each binding of A2A says about it.

Codes, HTTP and gRPC statuses and reasons are the SDK's own tables (A2A 1.0 §5.4, 0.3 §8); ours adds which of our
errors is which of theirs, and the HTTP statuses of 0.3. What is about the connection and not about A2A (no token, a
missing scope, too many requests, a database that is away) has no code there: it is told by the HTTP status, with the
code -32000, which JSON-RPC leaves to the implementation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from a2a.utils.error_handlers import build_error_details
from a2a.utils.errors import (
    A2A_ERROR_MAPPING,
    JSON_RPC_ERROR_CODE_MAP,
    A2AError,
    ContentTypeNotSupportedError,
    ErrorMapping,
    ExtendedAgentCardNotConfiguredError,
    InternalError,
    InvalidAgentResponseError,
    InvalidParamsError,
    InvalidRequestError,
    JSONParseError,
    MethodNotFoundError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from starlette.requests import ClientDisconnect

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
    "role_not_found": InvalidParamsError,
    "bad_last_event_id": InvalidParamsError,
    "method_not_allowed": MethodNotFoundError,
    "too_large": InvalidRequestError,
    "unsupported_media_type": ContentTypeNotSupportedError,
    "task_not_found": TaskNotFoundError,
    "task_ended": UnsupportedOperationError,
    "wrong_state": UnsupportedOperationError,
    "conflict": UnsupportedOperationError,
}
_CONNECTION_STATUSES: Mapping[int, str] = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
"""HTTP statuses of the connection's errors, and what gRPC calls them (google.rpc.Code)."""
_MORE_EXACT_STATUSES = frozenset({405, 413})
"""HTTP statuses of ours that say more than those of the A2A error do."""

_MAPPING: Mapping[type[A2AError], ErrorMapping] = {
    **A2A_ERROR_MAPPING,
    JSONParseError: A2A_ERROR_MAPPING[InvalidRequestError],  # 1.0 names no reason of its own
}
_OLD_STATUSES: Mapping[type[A2AError], int] = {
    TaskNotCancelableError: 409,
    ContentTypeNotSupportedError: 415,
    InvalidAgentResponseError: 502,
    ExtendedAgentCardNotConfiguredError: 404,
}
"""HTTP statuses of 0.3's REST binding where 1.0 changed them, as its SDK has them.

Its 501 for what is not supported is left out: a 5xx tells clients and proxies to try again.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as the bindings need it.

    `name` is the error's name, `details` are google.rpc error details (A2A 1.0 §9.5), `http` and `http_old` the HTTP
    statuses of the REST binding in 1.0 and 0.3, `grpc` the name of the gRPC status; `status` is the HTTP status of the
    JSON-RPC binding: 200 but for the connection's errors.
    """

    code: int
    message: str
    details: list[dict[str, Any]]
    name: str
    http: int
    http_old: int
    grpc: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def not_cancelable(error: CodeTetherError) -> A2AError:
    """A refused cancel has an error of its own (A2A 1.0 §3.1.5)."""
    return TaskNotCancelableError(error.detail, _data(error))


def refusal_of(error: Exception) -> Refusal:
    """What the bindings answer for any exception."""
    if isinstance(error, A2AError):
        return _refusal(error)
    if isinstance(error, ClientDisconnect):  # nobody reads this, and nothing is wrong here
        return _refusal(InvalidRequestError("The client left before its request had come."))
    problem = problem_of(error)
    if problem.status in _CONNECTION_STATUSES:
        return _of_connection(problem)
    exact = problem.status if problem.status in _MORE_EXACT_STATUSES else 0
    return _refusal(_spelled(problem), exact=exact)


def _spelled(problem: CodeTetherError) -> A2AError:
    """The A2A error for one of ours; what nobody foresaw is told as an internal error."""
    kind = _BY_CODE.get(problem.code)
    if kind is None:
        kind = InvalidParamsError if 400 <= problem.status < 500 else InternalError
    return kind(problem.detail, _data(problem))


def _refusal(error: A2AError, *, exact: int = 0) -> Refusal:
    kind = type(error)
    mapping = _MAPPING.get(kind, A2A_ERROR_MAPPING[InternalError])
    return Refusal(
        code=JSON_RPC_ERROR_CODE_MAP.get(kind, INTERNAL_ERROR),
        message=error.message,
        details=_details(error, mapping.reason),
        name=kind.__name__,
        http=exact or mapping.http_code,
        http_old=exact or _OLD_STATUSES.get(kind, mapping.http_code),
        grpc=mapping.grpc_status,
    )


def _of_connection(problem: CodeTetherError) -> Refusal:
    info = {**build_error_details(InternalError())[0], "reason": problem.code.upper()}
    return Refusal(
        code=CONNECTION_ERROR,
        message=problem.detail,
        details=[info],
        name="".join(word.capitalize() for word in problem.code.split("_")) + "Error",
        http=problem.status,
        http_old=problem.status,
        grpc=_CONNECTION_STATUSES[problem.status],
        status=problem.status,
        headers=problem_headers(problem),
    )


def _details(error: A2AError, reason: str) -> list[dict[str, Any]]:
    """The SDK's details: who refused and why, and for parameters which field.

    ErrorInfo's metadata are texts (google.rpc), so the fields stand in the BadRequest alone: whoever reads the details
    as protobuf's JSON would refuse them all.
    """
    info, *more = build_error_details(error)
    texts = {name: value for name, value in info["metadata"].items() if isinstance(value, str)}
    return [{**info, "reason": reason, "metadata": texts}, *more]


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
