"""Django's authentication backend for people who come back from the provider with a code."""

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import SuspiciousOperation

from apps.accounts.identities import visitor_of, visitor_sign_in
from apps.accounts.models import User
from apps.accounts.oidc.provider import Provider, ProviderError, provider, provider_or_error, token_request
from apps.accounts.oidc.tokens import BadTokenError, Claims, id_token_claims, own_access_claims
from apps.accounts.principals import access_changed
from apps.core.errors import CodeTetherError

if TYPE_CHECKING:

    class CodeFlow(ModelBackend):
        request: Any

else:
    from mozilla_django_oidc.auth import OIDCAuthenticationBackend as CodeFlow

log = logging.getLogger(__name__)

ID_TOKEN, SUBJECT, SID = "oidc_id_token", "oidc_subject", "oidc_sid"
"""Where a browser's session keeps what a logout at the provider needs."""


class SignInRefusedError(SuspiciousOperation):
    """The provider, or what it said, does not let this person in. The message is shown and holds no secret."""


class OidcBackend(CodeFlow):
    """mozilla-django-oidc's code flow, with discovery, guarded calls, full checks of tokens, and our own people.

    Who somebody is, is the (issuer, subject) of the ID token, never an e-mail address or a name.
    """

    def __init__(self) -> None:
        """Without its base's, which asks for settings that exist only where a provider is configured."""
        configured = provider()
        self.UserModel = get_user_model()
        self.OIDC_RP_CLIENT_ID = configured.settings.client_id if configured else ""
        self.OIDC_RP_CLIENT_SECRET = ""  # put into the call by token_request, as the provider takes it

    def authenticate(self, request: Any, **kwargs: Any) -> User | None:  # type: ignore[override]
        """The user of the code in the callback's request; SignInRefusedError says why there is none."""
        if provider() is None or "code_verifier" not in kwargs:
            return None
        try:
            return super().authenticate(request, **kwargs)
        except CodeTetherError as error:
            raise SignInRefusedError(error.detail) from error

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """The token endpoint's answer (RFC 6749 §4.1.3 with §4.5 of RFC 7636)."""
        form = {name: payload[name] for name in ("grant_type", "code", "code_verifier")}
        redirect_uri = self.request.session["oidc_redirect_uri"]
        answer = token_request(provider_or_error(), **form, redirect_uri=redirect_uri)
        if answer.status != 200:
            raise ProviderError(f"The identity provider refuses the code ({answer.status}).")
        return answer.json()

    def verify_token(self, token: str, **kwargs: Any) -> Claims:
        """The ID token's claims, once all of it holds; the nonce is this sign-in's."""
        nonce = kwargs.get("nonce")
        if not nonce:
            raise BadTokenError("This sign-in has no nonce.")
        return id_token_claims(provider_or_error(), token, nonce=nonce)

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """Only the ID token is kept, on our side, because a logout at the provider takes it as its hint."""
        self.request.session[ID_TOKEN] = id_token

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> User:
        """The user of the ID token's subject, with what its roles give now."""
        found, subject = provider_or_error(), str(payload["sub"])
        claims = [payload, *all_about(found, access_token or "", subject)]
        identity = visitor_sign_in(visitor=visitor_of(found.settings, subject, claims))
        access_changed()
        session = self.request.session
        session[SUBJECT], session[SID] = subject, str(payload.get("sid") or "")
        log.info("%s signs in by the identity provider", identity.user.get_username())
        return identity.user

    def get_user(self, user_id: Any) -> User | None:
        """Django's own, which knows that accounts can be inactive; nobody where no provider is configured."""
        return ModelBackend.get_user(self, user_id) if provider() is not None else None


def all_about(found: Provider, access_token: str, subject: str) -> list[Claims]:
    """What else the provider says of `subject`: in the access token, where that is a JWT, and by its userinfo."""
    from_token = own_access_claims(found, access_token, subject=subject)
    return [claims for claims in (_userinfo(found, access_token, subject), from_token) if claims]


def _userinfo(found: Provider, access_token: str, subject: str) -> Claims | None:
    """OpenID Connect Core §5.3; an answer about somebody else is refused (§5.3.2), a signed one is not asked for."""
    if not (found.described.userinfo and access_token):
        return None
    answer = found.userinfo(access_token)
    if answer.status != 200 or not answer.media_type.startswith("application/json"):
        return None
    said = answer.json()
    if said.get("sub") != subject:
        raise BadTokenError("The identity provider's userinfo is about somebody else.")
    return said
