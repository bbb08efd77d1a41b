"""The provider, as it describes itself (OpenID Connect Discovery 1.0), and the calls that are made to it.

All of them go through the guarded door (`apps/core/outbound.py`): a provider in a private network must be listed in
A2A_OUTBOUND_ALLOWED. Nothing that is sent or answered here is logged: it holds secrets.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from jwt import PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError

from apps.accounts.oidc.config import OidcSettings
from apps.core import jsontext
from apps.core.errors import MalformedError, UnavailableError
from apps.core.outbound import OutboundRefusedError, outbound_client

log = logging.getLogger(__name__)

_settings: Any = settings  # the type checker's plugin cannot see a setting whose type is an app's own
STEP_SECONDS = 4.0
TOTAL_SECONDS = 8.0
ANSWER_BYTES = 1_000_000
DESCRIPTION_SECONDS = 3600.0
KEYS_SECONDS = 600.0
STALE_SECONDS = 86_400.0
"""How long known keys and a known description serve while the provider does not answer."""
KEYS_COOLDOWN = 30.0
"""Between two looks for a key that nobody knows: who sends made-up key ids does not make us call more often."""
FAILURE_SECONDS = 5.0
"""After a call that failed, others fail at once for so long: a provider that hangs must not hold all threads."""
WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderError(UnavailableError):
    """The provider does not answer, or not as the protocol says; `detail` holds none of what it answered."""

    code = "identity_provider"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    status: int
    body: bytes
    media_type: str

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; ProviderError where there is none."""
        try:
            return jsontext.loads_object(self.body)
        except MalformedError as error:
            raise ProviderError("The identity provider's answer is not the JSON that it should be.") from error


def call_provider(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    json: object = None,
    bearer: str = "",
    basic: tuple[str, str] | None = None,
) -> ProviderAnswer:
    """Call an address of the provider, without following redirects; for threads without an event loop of their own."""
    headers = {"accept": "application/json", **({"authorization": f"Bearer {bearer}"} if bearer else {})}
    body = {"json": json} if json is not None else {"data": form} if form is not None else {}

    async def perform() -> httpx.Response:
        async with outbound_client(timeout=STEP_SECONDS, total=TOTAL_SECONDS, max_bytes=ANSWER_BYTES) as client:
            auth = httpx.BasicAuth(*basic) if basic else None
            return await client.request(method, url, headers=headers, auth=auth, **body)

    host = urlsplit(url).hostname
    try:
        answer = asyncio.run(perform())
    except OutboundRefusedError as error:
        raise ProviderError(f"The identity provider may not be called: {error.detail}") from error
    except httpx.HTTPError as error:
        raise ProviderError(f"The identity provider at {host} does not answer ({type(error).__name__}).") from error
    return ProviderAnswer(answer.status_code, answer.content, answer.headers.get("content-type", ""))


@dataclass(frozen=True, slots=True)
class Description:
    """Where the provider's endpoints are; those that it need not have are empty where it has none."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    takes_basic: bool


class KeyRing(PyJWKClient):
    """The provider's public keys: kept, fetched again when they are old or one is missing, never too often."""

    def __init__(self, url: str) -> None:
        super().__init__(url, lifespan=KEYS_SECONDS, cooldown_duration=KEYS_COOLDOWN)
        self._last: tuple[float, dict[str, Any]] | None = None
        self._failed_at = float("-inf")

    def fetch_data(self) -> dict[str, Any]:
        """The keys as they are now; as they were last where the provider fails, for at most STALE_SECONDS."""
        now = time.monotonic()
        if now - self._failed_at >= FAILURE_SECONDS:
            try:
                self._last = (now, self._fetched())
                self._last_successful_fetch = now
            except ProviderError as error:
                self._failed_at = now
                log.warning("The keys cannot be fetched; those from before serve: %s", error.detail)
        if self._last is None or now - self._last[0] > STALE_SECONDS:
            raise PyJWKClientConnectionError("there are no keys")
        return self._last[1]

    def _fetched(self) -> dict[str, Any]:
        answer = call_provider("GET", self.uri)
        if answer.status != 200:
            raise ProviderError(f"The identity provider's keys are answered with {answer.status}.")
        return answer.json()


class Provider:
    """The configured provider; what it says of itself is fetched when it is first needed, and kept."""

    def __init__(self, configured: OidcSettings) -> None:
        self.settings = configured
        self._lock = threading.Lock()
        self._described: tuple[float, Description] | None = None
        self._failed_at = float("-inf")
        self._ring: KeyRing | None = None

    @property
    def described(self) -> Description:
        """ProviderError where it cannot be had."""
        with self._lock:
            now = time.monotonic()
            known = self._described
            if known and now - known[0] < DESCRIPTION_SECONDS:
                return known[1]
            try:
                return self._describe(now)
            except ProviderError:
                self._failed_at = now
                if known and now - known[0] < STALE_SECONDS:
                    return known[1]
                raise

    @property
    def keys(self) -> KeyRing:
        url = self.described.keys
        if self._ring is None or self._ring.uri != url:
            self._ring = KeyRing(url)
        return self._ring

    def userinfo(self, access_token: str) -> ProviderAnswer:
        """What the provider says of the token's person; to be asked only where it has that endpoint."""
        return call_provider("GET", self.described.userinfo, bearer=access_token)

    def _describe(self, now: float) -> Description:
        if now - self._failed_at < FAILURE_SECONDS:
            raise ProviderError("The identity provider did not answer a moment ago.")
        answer = call_provider("GET", self.settings.issuer.rstrip("/") + WELL_KNOWN)
        if answer.status != 200:
            raise ProviderError(f"The identity provider's description is answered with {answer.status}.")
        description = _description(answer.json(), self.settings)
        self._described = (now, description)
        return description


def _description(said: Mapping[str, Any], configured: OidcSettings) -> Description:
    """What Discovery §3 promises, checked as §4.3 asks; without TLS only where the issuer itself is."""
    if said.get("issuer") != configured.issuer:
        raise ProviderError("The identity provider's description is of another issuer than the one that is set.")

    def address(name: str, *, needed: bool = False) -> str:
        url = said.get(name, "")
        good = isinstance(url, str) and url.startswith(("https://", "http://") if configured.is_plain else "https://")
        if not good and (needed or url):
            raise ProviderError(f"The identity provider's description has no usable {name}.")
        return str(url)

    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Description(
        authorization=address("authorization_endpoint", needed=True),
        token=address("token_endpoint", needed=True),
        keys=address("jwks_uri", needed=True),
        userinfo=address("userinfo_endpoint"),
        end_session=address("end_session_endpoint"),
        takes_basic=isinstance(methods, list) and "client_secret_basic" in methods,
    )


@lru_cache(maxsize=4)
def _provider_of(configured: OidcSettings) -> Provider:
    return Provider(configured)


def provider() -> Provider | None:
    """The configured provider, or None."""
    configured: OidcSettings | None = _settings.OIDC
    return _provider_of(configured) if configured is not None else None


def provider_or_error() -> Provider:
    """As `provider`, for what only runs where one is configured."""
    found = provider()
    if found is None:
        raise ProviderError("Sign-on by OpenID Connect is not configured here.")
    return found


def token_request(found: Provider, **form: str) -> ProviderAnswer:
    """A call of the token endpoint, with the client's own credentials as the provider takes them (RFC 6749 §2.3.1)."""
    configured = found.settings
    if not configured.client_secret:
        return call_provider("POST", found.described.token, form={**form, "client_id": configured.client_id})
    if found.described.takes_basic:
        basic = (_form_encoded(configured.client_id), _form_encoded(configured.client_secret))
        return call_provider("POST", found.described.token, form=form, basic=basic)
    own = {"client_id": configured.client_id, "client_secret": configured.client_secret}
    return call_provider("POST", found.described.token, form={**form, **own})


def _form_encoded(text: str) -> str:
    return str(httpx.QueryParams({"": text}))[1:]
