"""The server: is it there, does it take the token, and does its clock agree with ours."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from codetether_worker import __version__
from codetether_worker.checks.findings import Finding, fail, ok, warn
from codetether_worker.config import Config

_TIMEOUT = 10.0  # seconds
_SKEW_SHOWN = 5.0  # seconds; less is the network and the header's own second
_SCOPE = "worker"
_NEW_TOKEN = "make one with the role worker (console or POST /v1/users/api-keys) and put it into A2A_TOKEN"
_IN_SERVICE = "; the one of an installed service is read with --env-file /etc/a2a-worker/env"


def check_server(config: Config, transport: httpx.BaseTransport | None = None) -> list[Finding]:
    headers = {"User-Agent": f"codetether-worker/{__version__}"}
    with httpx.Client(base_url=config.server_url, headers=headers, timeout=_TIMEOUT, transport=transport) as client:
        try:
            found = _health(client, config.server_url)
            return found if found[0].mend else [*found, *_token(client, config.token)]
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            return [fail("server", f"{config.server_url} cannot be reached: {why}", _hint(error))]


def _hint(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "look for a firewall or proxy between this machine and the server"
    if "CERTIFICATE" in str(error).upper():
        return "let this machine trust the server's certificate: SSL_CERT_FILE names a file with its authority"
    return "start the server, or give its address with --server-url"


def _health(client: httpx.Client, url: str) -> list[Finding]:
    response = client.get("/health")
    body = _object(response)
    if response.status_code != httpx.codes.OK or "version" not in body:
        text = f"{url} answers (HTTP {response.status_code}), but not like a CodeTether server"
        return [fail("server", text, "give the server's own address with --server-url, without a path")]
    reached = ok("server", f"{url} answers, version {body['version']}")
    return [reached, *_clock(response)]


def _clock(response: httpx.Response) -> list[Finding]:
    try:
        theirs = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return []
    skew = (datetime.now(UTC) - theirs).total_seconds()
    if abs(skew) <= _SKEW_SHOWN:
        return [ok("clock", "agrees with the server's")]
    text = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's"
    return [
        warn("clock", f"{text}; leases do not mind, times in logs do", "turn on time synchronisation (NTP) on both")
    ]


def _token(client: httpx.Client, token: str | None) -> list[Finding]:
    response = client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"} if token else {})
    if response.status_code == httpx.codes.UNAUTHORIZED:
        text = "the server does not take the token" if token else "no token is given, and the server asks for one"
        return [fail("token", text, _NEW_TOKEN if token else _NEW_TOKEN + _IN_SERVICE)]
    if response.status_code != httpx.codes.OK:
        return [fail("token", f"the server answers HTTP {response.status_code}", "look at the server's own log")]
    return [_scopes(_object(response), token)]


def _scopes(me: dict[str, Any], token: str | None) -> Finding:
    scopes, name = set(me.get("scopes") or ()), f"{me.get('name')} ({me.get('role')})"
    if _SCOPE not in scopes:
        return fail("token", f"{name} is accepted, but may not do a worker's work", _NEW_TOKEN)
    if token is None:
        mend = "right on one machine only; else turn on A2A_AUTH_ENABLED at the server"
        return warn("token", "none is given, and the server asks nobody for one", mend)
    if me.get("role") != _SCOPE:
        return warn("token", f"{name} is accepted, and may do more than a worker needs", _NEW_TOKEN)
    return ok("token", f"{name} is accepted")


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
