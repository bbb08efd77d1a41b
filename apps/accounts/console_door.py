"""The console's door: how people sign in there and out again, and who is told that it is not for them."""

from collections.abc import Callable

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from apps.accounts.login_throttle import TooManyLoginsError, login_succeeded, login_try
from apps.accounts.models import User
from apps.accounts.oidc.provider import provider
from apps.accounts.refusals import sign_in_refusal_note
from apps.accounts.sign_in_notes import sign_in_note
from apps.accounts.sign_on.backend import ID_TOKEN
from apps.accounts.sign_on.views import end_own_login, refused, sign_out

MEANS = "password, at the console"
CONSOLE, WAY_OUT = "/admin/", "/admin/logout/"


class StaffOnly:
    """Who is signed in and is not staff gets 403 at the console, not the login page again: that would be a loop.

    And nobody gets an address answered that holds a NUL, which PostgreSQL would refuse wherever it came.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(CONSOLE) and request.path != WAY_OUT:
            user = request.user
            if user.is_authenticated and not admin.site.has_permission(request):
                why = f"You are signed in as {user.get_username()}. This account may not use the console."
                return refused(request, why, 403)
            if any("\0" in value for _, values in request.GET.lists() for value in values):
                return refused(request, "The address holds a character that no text has.", 400)
        return self.get_response(request)


@never_cache
def login(request: HttpRequest) -> HttpResponse:
    """The console's own login page; with a button where an identity provider is configured. Guessing is slowed down."""
    found = provider()
    button = {}
    if found is not None:
        after = request.GET.get("next", "")
        address = reverse("oidc_authentication_init") + (f"?{urlencode({'next': after})}" if after else "")
        button = {"provider_name": found.settings.name, "provider_address": address}
    if request.method != "POST":
        return admin.site.login(request, extra_context=button)
    tried = {"username": request.POST.get("username", ""), "address": request.META.get("REMOTE_ADDR", "")}
    try:
        login_try(**tried)
    except TooManyLoginsError as error:
        sign_in_refusal_note(username=tried["username"], why="too many tries", means=MEANS)
        answer = refused(request, error.detail, error.status)
        answer["Retry-After"] = str(error.retry_after)
        return answer
    with transaction.atomic():
        response = admin.site.login(request, extra_context=button)
        if response.status_code == 302 and isinstance(request.user, User):
            login_succeeded(**tried)
            sign_in_note(user=request.user, means=MEANS)
            return response
    why = "wrong password, not active, or not staff"
    sign_in_refusal_note(username=tried["username"], why=why, means=MEANS)
    return response


@never_cache
@csrf_protect
def logout(request: HttpRequest) -> HttpResponse:
    """Out of the console, and out at the provider for whoever came by it."""
    if request.method == "POST" and request.session.get(ID_TOKEN):
        return sign_out(request)
    if request.method == "POST":
        end_own_login(request)
    return admin.site.logout(request)
