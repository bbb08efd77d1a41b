"""Errors of the management lane as JSON: ours, Django REST framework's, and Django's own."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework.exceptions import APIException

from apps.core import jsontext
from apps.core.errors import CodeTetherError, ForbiddenError, MalformedError, NotFoundError
from apps.core.problems import problem_body, problem_headers, problem_of

PAGES = ("/admin", "/oidc", "/static")
"""Where people look with a browser; everywhere else an error is JSON."""


def json_answer(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer of JSON text; with its length, which no middleware adds here."""
    answer = HttpResponse(content, "application/json", status, headers=headers)
    answer.headers["Content-Length"] = str(len(content))
    return answer


def render_problem(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """The answer for an exception of a view (REST framework's EXCEPTION_HANDLER)."""
    return problem_answer(_known(error))


def problem_answer(error: Exception) -> HttpResponse:
    """The JSON answer for any exception (contract: general rules)."""
    problem = problem_of(error)
    return json_answer(jsontext.dumps(problem_body(problem)), problem.status, problem_headers(problem))


def _known(error: Exception) -> Exception:
    """Ours for what the frameworks raise."""
    match error:
        case APIException():
            return _Framework(error)
        case Http404():
            return NotFoundError("There is nothing at this address.")
        case PermissionDenied():
            return ForbiddenError("This is not allowed.")
        case SuspiciousOperation() | BadRequest():
            return MalformedError("The request cannot be read.")
        case _:
            return error


class _Framework(CodeTetherError):
    """An error of Django REST framework, with its own status and code."""

    def __init__(self, error: APIException) -> None:
        super().__init__(str(error.detail), code=error.default_code)
        self.status = error.status_code


def _handler(problem: CodeTetherError, page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.path.startswith(PAGES):
            return page(request, *args, **kwargs)
        return problem_answer(problem)

    return handle


bad_request = _handler(MalformedError("The request cannot be read."), defaults.bad_request)
forbidden = _handler(ForbiddenError("This is not allowed."), defaults.permission_denied)
not_found = _handler(NotFoundError("There is nothing at this address."), defaults.page_not_found)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """What even the views' own handler did not see; Django has logged it."""
    if request.path.startswith(PAGES):
        return defaults.server_error(request)
    problem = CodeTetherError("Something went wrong on our side; the server's log has the details.")
    return json_answer(jsontext.dumps(problem_body(problem)), 500)
