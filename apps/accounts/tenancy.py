"""The pages act for the workspaces of whoever is signed in; a superuser's see every one (Django middleware)."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.accounts.permissions import Scope
from apps.accounts.reach import Reach, reach_of
from apps.core.caller import caller
from apps.core.tenancy import EVERYWHERE, NOBODY, Acting, acting, of_workspaces


class ReachMiddleware:
    """After authentication: from here on the request acts for those workspaces that its user may read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        whom = NOBODY
        if request.user.is_authenticated:
            reach, here = reach_of(request), caller()
            whom = _acting(reach)
            here.name, here.identity = request.user.get_username(), f"user:{request.user.pk}"
            here.workspace_id = reach.home
        with acting(whom):
            response = self._get_response(request)
        response.acting = whom  # type: ignore[attr-defined]  # what streams is read from the database later
        return response


def _acting(reach: Reach) -> Acting:
    if reach.everything:
        return EVERYWHERE
    return of_workspaces(*(known for known in reach.roles if reach.holds(Scope.TASKS_READ, known)))
