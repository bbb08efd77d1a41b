"""Headers that say to browsers what they may do with an answer; and which pages elsewhere may read one (CORS).

Programs' answers forbid everything: nothing of them is ever shown as a page. Pages get what they need and no more. The
console is the known exception: its framework evaluates expressions in attributes (`'unsafe-eval'`) and sets styles.
"""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from asgiref.typing import HTTPScope
from django.conf import settings
from django.utils.csp import CSP, build_policy

Headers = tuple[tuple[bytes, bytes], ...]
Policy = dict[str, list[str]]

CONSOLE, DOCUMENTATION, PAGES = "/admin", "/v1/docs", ("/admin", "/oidc", "/static")
SHOWN = (b"text/html", b"text/javascript", b"application/javascript")
"""Media types of what a browser shows or runs."""
NOTHING: Policy = {
    "default-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.NONE],
}
PAGE: Policy = {
    **NOTHING,
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "form-action": [CSP.SELF],
}
DOCUMENTATION_PAGE: Policy = {**PAGE, "style-src": [CSP.SELF, CSP.UNSAFE_INLINE]}
CONSOLE_PAGE: Policy = {
    **DOCUMENTATION_PAGE,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "worker-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
}
POLICIES = {"data": NOTHING, "page": PAGE, "documentation": DOCUMENTATION_PAGE, "console": CONSOLE_PAGE}
ALWAYS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OF_PAGES: Headers = (
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
ASKED_HEADERS = (
    b"Authorization, Content-Type, A2A-Version, A2A-Extensions, X-A2A-Extensions, X-Workspace, X-Request-ID, "
    b"Idempotency-Key, Last-Event-ID, If-None-Match, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
)
TOLD_HEADERS = (
    b"ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, A2A-Extensions, WWW-Authenticate"
)
PREFLIGHT: Headers = (
    (b"access-control-allow-methods", METHODS),
    (b"access-control-allow-headers", ASKED_HEADERS),
    (b"access-control-max-age", b"600"),
    (b"content-length", b"0"),
)


def security_headers(scope: HTTPScope, content_type: bytes) -> Headers:
    """What an answer of this type carries, where it does not say otherwise itself."""
    issuer = settings.OIDC.issuer if settings.OIDC is not None else ""
    hsts = settings.SECURE_HSTS_SECONDS if settings.SECURE_HSTS_SECONDS and _is_secure(scope) else 0
    return _headers(_kind(scope["path"], content_type), issuer, hsts)


def cors_origin(scope: HTTPScope) -> bytes:
    """What `Access-Control-Allow-Origin` says to this caller; empty where it is no page elsewhere that may call."""
    if not settings.CORS_ORIGINS or scope["path"].startswith(PAGES):
        return b""
    origin = next((value for name, value in scope["headers"] if name == b"origin"), b"")
    if not origin:
        return b""
    if settings.CORS_ORIGINS == ["*"]:
        return b"*"
    return origin if origin.decode("latin-1").lower() in settings.CORS_ORIGINS else b""


def cors_headers(origin: bytes) -> Headers:
    """For answers to pages of that origin. Credentials of the browser's own are never allowed: pages bring a token."""
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", TOLD_HEADERS),
    )


def is_preflight(scope: HTTPScope) -> bool:
    """Whether a browser only asks if it may call (Fetch standard, CORS-preflight request)."""
    asked = b"access-control-request-method"
    return scope["method"] == "OPTIONS" and any(name == asked for name, _ in scope["headers"])


def _kind(path: str, content_type: bytes) -> str:
    if not content_type:
        return "nothing"  # such as 304: what is kept keeps its policy
    if not content_type.startswith(SHOWN):
        return "data"
    if path.startswith(CONSOLE):
        return "console"
    return "documentation" if path.startswith(DOCUMENTATION) else "page"


def _is_secure(scope: HTTPScope) -> bool:
    return scope["scheme"] == "https" or (b"x-forwarded-proto", b"https") in scope["headers"]


@lru_cache(maxsize=64)
def _headers(kind: str, issuer: str, hsts: int) -> Headers:
    """`issuer` is where signing out at the console leads; a policy counts redirects of forms as well."""
    found = list(ALWAYS)
    if kind in POLICIES:
        policy = POLICIES[kind]
        if issuer and kind == "console":
            policy = {**policy, "form-action": [CSP.SELF, _origin(issuer)]}
        found.append((b"content-security-policy", build_policy(policy).encode()))
    if kind not in ("data", "nothing"):
        found.extend(OF_PAGES)
    if hsts:
        found.append((b"strict-transport-security", _hsts(hsts)))
    return tuple(found)


def _hsts(seconds: int) -> bytes:
    """As Django's own SecurityMiddleware spells it, for pages and programs alike (RFC 6797)."""
    words: Iterable[str] = (
        f"max-age={seconds}",
        *(["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []),
        *(["preload"] if settings.SECURE_HSTS_PRELOAD else []),
    )
    return "; ".join(words).encode()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
