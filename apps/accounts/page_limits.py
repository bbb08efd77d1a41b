"""How often pages may be opened (Django middleware, after authentication): the same limits as for every other call."""

from collections.abc import Callable

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from apps.accounts.admission import admit_person_now, admit_stranger_now
from apps.accounts.sign_on.views import refused
from apps.core.limits import RateLimitedError
from apps.core.problems import problem_body, problem_headers, problem_of

PAGES = ("/admin", "/oidc")
SIGNED_CALLS = "/oidc/backchannel-logout"
"""The identity provider's own: it proves itself by a signature, and may have many to log out at once."""


class PageLimits:
    """Who is signed in is counted by who they are, everybody else by their address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _count(request)
        except RateLimitedError as error:
            return _refused(request, error)
        return self._get_response(request)


def _count(request: HttpRequest) -> None:
    if request.path == SIGNED_CALLS:
        return
    if request.user.is_authenticated:
        admit_person_now(request.user.pk)
    else:
        admit_stranger_now()


def _refused(request: HttpRequest, error: RateLimitedError) -> HttpResponseBase:
    problem = problem_of(error)
    if not request.path.startswith(PAGES):
        return JsonResponse(problem_body(problem), status=problem.status, headers=problem_headers(problem))
    answer = refused(request, problem.detail, problem.status)
    for name, value in problem_headers(problem).items():
        answer[name] = value
    return answer
