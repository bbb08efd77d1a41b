"""Where clients reach us, for every face that tells them addresses of ours."""

from functools import lru_cache

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from starlette.requests import HTTPConnection

from apps.core.headers import headers_of


def base_url_of(request: HTTPConnection) -> str:
    """Where clients reach us: `A2A_AGENT_URL` where it is set, else the host that this client asked, if it may be."""
    host = headers_of(request).get("host", "")
    if settings.A2A_AGENT_URL_IS_GIVEN or not _may_be_ours(host, tuple(settings.ALLOWED_HOSTS)):
        return str(settings.A2A_AGENT_URL)
    return f"{_scheme(request)}://{host}"


@lru_cache(maxsize=256)
def _may_be_ours(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _scheme(request: HTTPConnection) -> str:
    """The proxy in front says what it took the request by, where the settings trust one."""
    name, secure = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    if name and headers_of(request).get(name.removeprefix("HTTP_").replace("_", "-").lower(), "").strip() == secure:
        return "https"
    return str(request.scope["scheme"])
