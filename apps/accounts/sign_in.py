"""Signing in with a user name and a password, for programs: a local account, or the provider's where that is set."""

import logging

from django.contrib.auth import authenticate
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apps.accounts.identities import visitor_of, visitor_sign_in
from apps.accounts.login_sessions import Origin, Tokens, login_start
from apps.accounts.login_throttle import TooManyLoginsError, login_succeeded, login_try
from apps.accounts.models import OidcIdentity, User
from apps.accounts.oidc.provider import ProviderError, provider, token_request
from apps.accounts.oidc.tokens import id_token_claims
from apps.accounts.principals import access_changed
from apps.accounts.refusals import sign_in_refusal_note
from apps.accounts.sign_in_notes import sign_in_note
from apps.accounts.sign_on.backend import all_about
from apps.core.errors import UnauthenticatedError

log = logging.getLogger(__name__)

PASSWORD = "password"
REFUSED = "The user name or the password is wrong, or the account is not active."


class WrongPasswordError(UnauthenticatedError):
    code = "wrong_password"


@sensitive_variables("password")
def password_sign_in(*, username: str, password: str, workspace: str, origin: Origin) -> Tokens:
    """Begin a login in the workspace with that slug (empty: the oldest). WrongPasswordError, TooManyLoginsError.

    A local account comes first. Every try costs the same: Django hashes a password for names that nobody has as well,
    and where the provider is asked, it is asked whoever the name belongs to.
    """
    try:
        login_try(username=username, address=origin.address)
    except TooManyLoginsError:
        sign_in_refusal_note(username=username, why="too many tries", means=PASSWORD)
        raise
    local = authenticate(username=username, password=password)
    identity, sid = (None, "") if local is not None else _by_provider(username, password)
    user = identity.user if identity is not None else local
    if not isinstance(user, User) or not user.is_active:
        log.warning("A sign-in with a password is refused, from %s", origin.address)
        sign_in_refusal_note(username=username, why="wrong password, or not active", means=PASSWORD)
        raise WrongPasswordError(REFUSED)
    login_succeeded(username=username, address=origin.address)
    with transaction.atomic():
        tokens = login_start(user=user, workspace=workspace, origin=origin, identity=identity, sid=sid)
        User.objects.filter(pk=user.pk).update(last_login=timezone.now())
        sign_in_note(user=user, workspace_id=tokens.login.workspace_id, means=PASSWORD)
    return tokens


@sensitive_variables("password")
def _by_provider(username: str, password: str) -> tuple[OidcIdentity | None, str]:
    """The identity that the provider's password grant (RFC 6749 §4.3) names, and its session there; (None, "") else."""
    found = provider()
    if found is None or not found.settings.password_grant:
        return None, ""
    scope = found.settings.scopes
    answer = token_request(found, grant_type="password", username=username, password=password, scope=scope)
    if answer.status in (400, 401):
        return None, ""
    if answer.status != 200:
        raise ProviderError(f"The identity provider answers a sign-in with {answer.status}.")
    said = answer.json()
    claims = id_token_claims(found, said.get("id_token", ""), nonce=None)
    subject = str(claims["sub"])
    others = all_about(found, str(said.get("access_token") or ""), subject)
    identity = visitor_sign_in(visitor=visitor_of(found.settings, subject, [claims, *others]))
    access_changed()
    return identity, str(claims.get("sid") or "")
