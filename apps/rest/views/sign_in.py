"""Signing in with a password, for programs that act for a person; and the person's logins."""

from typing import Annotated, Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from pydantic import Field

from apps.accounts.login_sessions import (
    ACCESS_PREFIX,
    Origin,
    RefreshRefusedError,
    Tokens,
    login_by_access,
    login_refresh,
    logins_end,
    own_logins,
)
from apps.accounts.models import LoginSession
from apps.accounts.oidc.provider import provider
from apps.accounts.principals import Principal, access_changed
from apps.accounts.sign_in import password_sign_in
from apps.core.errors import NotFoundError, UnprocessableError
from apps.core.ids import parse_id
from apps.rest.answers import sign_in as answers
from apps.rest.endpoint import Answer, Endpoint, OpenEndpoint, operation
from apps.rest.reading import Body, Name

LOGINS_SHOWN = 200


class PasswordBody(Body):
    username: Annotated[str, Field(min_length=1, max_length=150)]
    password: Annotated[str, Field(min_length=1, max_length=4096)]
    workspace: Name = ""


class RefreshBody(Body):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class PasswordLogin(OpenEndpoint):
    @operation(answers=answers.LoginTokens)
    def post(self, body: PasswordBody) -> Answer:
        """Sign in: gives an access token for minutes and a refresh token for days, in one of your workspaces."""
        origin = Origin(self.request.META.get("HTTP_USER_AGENT", ""), self.request.META.get("REMOTE_ADDR", ""))
        return _given(
            password_sign_in(username=body.username, password=body.password, workspace=body.workspace, origin=origin)
        )


class Refresh(OpenEndpoint):
    @operation(answers=answers.LoginTokens)
    def post(self, body: RefreshBody) -> Answer:
        """New tokens for a refresh token, which is spent. One that comes twice ends its login: somebody copied it."""
        try:
            tokens = login_refresh(refresh_token=body.refresh_token)
        except RefreshRefusedError as refused:
            if refused.ended:  # only then: strangers must not make every process look everybody up again
                access_changed()
            raise
        access_changed()
        return _given(tokens)


class Logout(Endpoint):
    @operation(answers=answers.Done)
    def post(self) -> Answer:
        """End the login whose access token this is."""
        current = _current(self)
        if current is None:
            raise UnprocessableError("This token is not of a login: there is nothing to end.", code="no_login")
        logins_end(logins=LoginSession.objects.filter(pk=current.pk), reason="signed out")
        access_changed()
        return {"success": True, "message": "Signed out."}


class SignInStatus(OpenEndpoint):
    @operation(answers=answers.SignInStatus)
    def get(self) -> Answer:
        """How one signs in here."""
        found = provider()
        facts = None
        if found is not None:
            facts = {
                "name": found.settings.name,
                "issuer": found.settings.issuer,
                "client_id": found.settings.client_id,
                "login_url": settings.A2A_AGENT_URL + reverse("oidc_authentication_init"),
                "password_grant": found.settings.password_grant,
            }
        return {"auth_enabled": settings.A2A_AUTH_ENABLED, "password_login": True, "oidc": facts}


class Logins(Endpoint):
    @operation(answers=answers.Logins)
    def get(self) -> Answer:
        """The caller's own logins that go on, newest first: of programs, and of browsers by the identity provider."""
        current = _current(self)
        return {"sessions": [_facts(row, current) for row in _own(self.caller)[:LOGINS_SHOWN]]}


class OneLogin(Endpoint):
    @operation(answers=answers.Done)
    def delete(self, session_id: str) -> Answer:
        """End one of the caller's own logins."""
        known = parse_id(session_id)
        mine = _own(self.caller).filter(pk=known) if known else LoginSession.objects.none()
        if not logins_end(logins=mine, reason="ended by its person"):
            raise NotFoundError("You have no such login.", code="login_not_found")
        access_changed()
        return {"success": True, "message": "The login has ended."}


def _own(caller: Principal) -> QuerySet[LoginSession]:
    """A person's logins. A program has none, also where its token is a person's: it must not end what that does."""
    if caller.user_id is None or caller.token_id is not None:
        return LoginSession.objects.none()
    return own_logins(caller.user_id)


def _current(view: Endpoint) -> LoginSession | None:
    """The login whose access token the request brought."""
    token = str(view.request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")[2].strip()
    return login_by_access(token) if token.startswith(ACCESS_PREFIX) else None


def _given(tokens: Tokens) -> dict[str, Any]:
    login, now = tokens.login, timezone.now()
    assert login.access_expires_at is not None
    assert login.refresh_expires_at is not None
    return {
        "token_type": "Bearer",
        "access_token": tokens.access_token,
        "expires_in": round((login.access_expires_at - now).total_seconds()),
        "refresh_token": tokens.refresh_token,
        "refresh_expires_in": round((login.refresh_expires_at - now).total_seconds()),
        "session": _facts(login, login),
    }


def _facts(login: LoginSession, current: LoginSession | None) -> dict[str, Any]:
    return {
        "id": str(login.pk),
        "kind": login.kind,
        "client": login.client,
        "address": login.address,
        "created_at": login.created_at,
        "last_used_at": login.last_used_at,
        "expires_at": login.expires_at,
        "by_provider": login.identity_id is not None,
        "current": current is not None and login.pk == current.pk,
    }
