"""Who calls the management lane, and whether they may: the same principals and the same table as in the other lane."""

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.admission import admitted_now
from apps.accounts.permissions import Scope
from apps.accounts.principals import Credentials, Principal
from apps.core.errors import CodeTetherError, ForbiddenError

if TYPE_CHECKING:
    from rest_framework.views import APIView

Scopes = tuple[Scope, ...]
"""What an operation needs: any one of these; none at all means any caller that is known."""


class CsrfError(CodeTetherError):
    """A browser's session alone may not write: the page must prove that the request is its own."""

    status, code = 403, "csrf"


class PrincipalAuthentication(BaseAuthentication):
    """`request.user` and `request.auth` are the caller's Principal; UnauthenticatedError where there is none."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal]:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        session_key = "" if authorization else request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        principal = admitted_now(Credentials(authorization, session_key, request.META.get("HTTP_X_WORKSPACE", "")))
        if principal.by_cookie and request.method not in SAFE_METHODS:
            _enforce_csrf(request)
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="codetether"'


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> Any:
        raise CsrfError(f"The CSRF check failed: {reason}")


def _enforce_csrf(request: Request) -> None:
    """Django's own check, which the views are exempt from since programs come with a token instead of a cookie."""
    check = _CsrfCheck(lambda _: None)  # type: ignore[arg-type]
    check.process_request(request._request)
    check.process_view(request._request, lambda _: None, (), {})  # type: ignore[arg-type, return-value]


class ScopePermission(BasePermission):
    """The caller holds what the view's `required_scopes` names for the request's method."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        scopes: dict[str, Scopes] = view.required_scopes  # type: ignore[attr-defined]
        method = "GET" if request.method == "HEAD" else str(request.method)
        demand(cast(Principal, request.auth), scopes.get(method, ()))
        return True


def demand(principal: Principal, scopes: Scopes) -> None:
    """Raise ForbiddenError unless the principal holds one of `scopes` (or none is needed)."""
    if scopes and not any(scope in principal.scopes for scope in scopes):
        names = "' or '".join(scopes)
        raise ForbiddenError(f"This needs the scope '{names}', which {principal.name} does not hold.")
