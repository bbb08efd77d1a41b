"""What the operations of signing in and out answer."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done


class Login(BaseModel):
    """A login that goes on; `current` is the one whose token asked."""

    id: str
    kind: str
    client: str
    address: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    by_provider: bool
    current: bool


class LoginTokens(BaseModel):
    """Times to live in seconds. Both tokens are shown here, once."""

    token_type: str
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    session: Login


class Logins(BaseModel):
    sessions: list[Login]


class ProviderFacts(BaseModel):
    """The identity provider, as far as somebody who is about to sign in needs it."""

    name: str
    issuer: str
    client_id: str
    login_url: str
    password_grant: bool


class SignInStatus(BaseModel):
    """How one signs in here; `oidc` is null where no identity provider is configured."""

    auth_enabled: bool
    password_login: bool
    oidc: ProviderFacts | None


__all__ = ["Done", "Login", "LoginTokens", "Logins", "ProviderFacts", "SignInStatus"]
