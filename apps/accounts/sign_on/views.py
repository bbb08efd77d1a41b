"""The pages of sign-on: out to the provider, back with a code, and out for good, from either side."""

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.login_models import LoginSession
from apps.accounts.login_sessions import (
    LOGIN_BY_PROVIDER_LASTS,
    Origin,
    browser_login_note,
    logins_end,
    provider_logout,
)
from apps.accounts.models import User
from apps.accounts.oidc.provider import ProviderError, provider, provider_or_error
from apps.accounts.oidc.tokens import BadTokenError, logout_claims
from apps.accounts.oidc_models import OidcIdentity
from apps.accounts.principals import access_changed
from apps.accounts.refusals import sign_in_refusal_note
from apps.accounts.sign_in_notes import PROVIDER, SIGNED_OUT, sign_in_note, sign_out_note
from apps.accounts.sign_on.backend import ID_TOKEN, SID, SUBJECT, SignInRefusedError

if TYPE_CHECKING:

    class RequestView(View):
        OIDC_OP_AUTH_ENDPOINT: str

        def get(self, request: HttpRequest) -> HttpResponse: ...

    class CallbackView(View):
        user: User

        def get(self, request: HttpRequest) -> HttpResponse: ...

else:
    from mozilla_django_oidc.views import OIDCAuthenticationCallbackView as CallbackView
    from mozilla_django_oidc.views import OIDCAuthenticationRequestView as RequestView

log = logging.getLogger(__name__)

STATES, REDIRECT_URI = "oidc_states", "oidc_redirect_uri"
STATE_SECONDS = 600
"""How long somebody may take to sign in at the provider."""
OPEN: dict[str, tuple[()]] = {"GET": ()}


def own_address(request: HttpRequest, path: str) -> str:
    """A path of ours as a whole address: by A2A_AGENT_URL where that is set, else as the browser called us."""
    if settings.A2A_AGENT_URL_IS_GIVEN:
        return f"{settings.A2A_AGENT_URL}{path}"
    return request.build_absolute_uri(path)


class _Configured:
    """Pages that are there only where a provider is configured; mozilla-django-oidc asks them for its settings."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if provider() is None:
            raise Http404
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    @staticmethod
    def get_settings(name: str, *default: Any) -> Any:
        """What mozilla-django-oidc calls its settings; those that are not ours have its defaults."""
        found = provider()
        if found is None:
            return default[0] if default else ""
        ours = {
            "OIDC_RP_CLIENT_ID": found.settings.client_id,
            "OIDC_RP_SCOPES": found.settings.scopes,
            "OIDC_USE_PKCE": True,
            "OIDC_USE_NONCE": True,
            "LOGIN_REDIRECT_URL": reverse("admin:index"),
        }
        if name == "OIDC_OP_AUTHORIZATION_ENDPOINT":
            return ""  # asked for when the view is made; `get` below knows it
        return ours.get(name, default[0] if default else None)


@method_decorator(never_cache, "dispatch")
class Authenticate(_Configured, RequestView):
    """Sends the browser to the provider with state, nonce and a code challenge (S256); `next` only within our host."""

    required_scopes: ClassVar[dict[str, tuple[()]]] = OPEN

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            self.OIDC_OP_AUTH_ENDPOINT = provider_or_error().described.authorization
        except ProviderError as error:
            return refused(request, error.detail, 503)
        return super().get(request)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """The address to come back to, which the session keeps because the code is bound to it."""
        address = own_address(request, reverse("oidc_authentication_callback"))
        request.session[REDIRECT_URI] = address
        return {"redirect_uri": address}


@method_decorator(never_cache, "dispatch")
class Callback(_Configured, CallbackView):
    """Takes the browser back. Without a state that this very browser was sent out with, nothing happens."""

    required_scopes: ClassVar[dict[str, tuple[()]]] = OPEN

    def get(self, request: HttpRequest) -> HttpResponse:
        states = request.session.get(STATES) or {}
        state = states.get(request.GET.get("state", ""))
        if state is None or state["added_on"] < time.time() - STATE_SECONDS:
            return refused(request, "This sign-in was not begun here, or too long ago: begin again.", 400)
        if "error" in request.GET or "code" not in request.GET:
            del request.session[STATES][request.GET["state"]]
            request.session.modified = True
            sign_in_refusal_note(username="", why="the identity provider has not let them in", means=PROVIDER)
            return refused(request, "The identity provider has not let you in.", 403)
        try:
            return super().get(request)
        except SignInRefusedError as error:
            log.warning("A sign-in by the identity provider is refused: %s", error)
            sign_in_refusal_note(username="", why=str(error), means=PROVIDER)
            return refused(request, str(error), 403)

    def login_failure(self) -> HttpResponse:
        sign_in_refusal_note(username="", why="the account is not active", means=PROVIDER)
        return refused(self.request, "This account is not active.", 403)

    def login_success(self) -> HttpResponse:
        """Always a new session key, whoever was signed in before; and a note, so that the provider can end it."""
        request, user = self.request, self.user
        kept = {name: request.session.get(name, "") for name in (ID_TOKEN, SUBJECT, SID, "oidc_login_next")}
        if request.user.is_authenticated:
            end_own_login(request)
            request.session.flush()
        with transaction.atomic():
            auth.login(request, user)
            sign_in_note(user=user, means=PROVIDER)
        request.session.update(kept)
        request.session.set_expiry(LOGIN_BY_PROVIDER_LASTS)
        request.session.pop(STATES, None)
        identity = OidcIdentity.objects.select_related("user").get(
            issuer=provider_or_error().settings.issuer, subject=kept[SUBJECT]
        )
        browser_login_note(
            session_key=str(request.session.session_key),
            identity=identity,
            sid=kept[SID],
            ends_at=datetime.now(UTC) + LOGIN_BY_PROVIDER_LASTS,
            origin=origin_of(request),
        )
        return HttpResponseRedirect(kept["oidc_login_next"] or reverse("admin:index"))


def origin_of(request: HttpRequest) -> Origin:
    return Origin(request.META.get("HTTP_USER_AGENT", ""), request.META.get("REMOTE_ADDR", ""))


@method_decorator(never_cache, "dispatch")
class Logout(View):
    """Ends the browser's session here and, where it came by the provider, there as well (RP-Initiated Logout 1.0)."""

    http_method_names: ClassVar[list[str]] = ["post"]  # type: ignore[misc]
    required_scopes: ClassVar[dict[str, tuple[()]]] = {"POST": ()}

    def post(self, request: HttpRequest) -> HttpResponse:
        return sign_out(request)


def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; the answer leads on to the provider's logout, or to the login page."""
    leads_to = _provider_logout_address(request) or reverse("admin:login")
    end_own_login(request)
    auth.logout(request)
    return HttpResponseRedirect(leads_to)


def end_own_login(request: HttpRequest) -> None:
    key, user = request.session.session_key, request.user
    ended = logins_end(logins=LoginSession.objects.filter(session_key=key), reason=SIGNED_OUT) if key else 0
    if not ended and isinstance(user, User):
        sign_out_note(user=user)


def _provider_logout_address(request: HttpRequest) -> str:
    """Empty where the session is not the provider's, or the provider has no such page or does not answer."""
    found, hint = provider(), request.session.get(ID_TOKEN, "")
    if found is None or not hint:
        return ""
    try:
        page = found.described.end_session
    except ProviderError as error:
        log.warning("A logout stays here, the provider does not hear of it: %s", error.detail)
        return ""
    back = own_address(request, reverse("admin:login"))
    said = {"id_token_hint": hint, "client_id": found.settings.client_id, "post_logout_redirect_uri": back}
    return f"{page}{'&' if '?' in page else '?'}{urlencode(said)}" if page else ""


@method_decorator([csrf_exempt, never_cache], "dispatch")
class BackchannelLogout(_Configured, View):
    """The provider says that somebody has logged out (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8)."""

    http_method_names: ClassVar[list[str]] = ["post"]  # type: ignore[misc]
    required_scopes: ClassVar[dict[str, tuple[()]]] = {"POST": ()}

    def post(self, request: HttpRequest) -> HttpResponse:
        found = provider_or_error()
        try:
            claims = logout_claims(found, request.POST.get("logout_token", ""))
        except BadTokenError as error:
            return _not_done(error.detail)
        except ProviderError as error:
            return JsonResponse({"error": "temporarily_unavailable", "error_description": error.detail}, status=503)
        ended = provider_logout(
            issuer=found.settings.issuer,
            jti=claims["jti"],
            subject=claims.get("sub") or "",
            sid=claims.get("sid") or "",
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        )
        if ended is None:
            return _not_done("This logout token was used before.")
        access_changed()
        log.info("The identity provider ends %d logins", ended)
        return HttpResponse(status=200)


def _not_done(why: str) -> HttpResponse:
    log.warning("A back-channel logout is refused: %s", why)
    return JsonResponse({"error": "invalid_request", "error_description": why}, status=400)


def refused(request: HttpRequest, why: str, status: int) -> HttpResponse:
    """The page that says why somebody is not let in."""
    return render(request, "accounts/refused.html", {"why": why, "title": "Not let in"}, status=status)
