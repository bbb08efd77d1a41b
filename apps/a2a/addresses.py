"""Where clients reach us: the addresses on the cards."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from a2a.types import AgentInterface
from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0, TransportProtocol
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from apps.workers.selectors import AGENT_PATH

JSONRPC_PATH = "/a2a/jsonrpc"
REST_PATH = "/a2a/rest"
JWKS_PATH = "/.well-known/jwks.json"
VERSIONS = (PROTOCOL_VERSION_1_0, PROTOCOL_VERSION_0_3)


def is_certain(base_url: str) -> bool:
    """Whether the address is ours by the settings, or nobody else's, and not only what a client called us.

    Who could have any address signed could have a card of ours that leads to themselves.
    """
    domain, _ = split_domain_port(urlsplit(base_url).netloc)
    named = "*" not in settings.ALLOWED_HOSTS and validate_host(domain, settings.ALLOWED_HOSTS)
    return base_url == settings.A2A_AGENT_URL or named or _is_loopback(domain)


def _is_loopback(domain: str) -> bool:
    try:
        return ipaddress.ip_address(domain.strip("[]")).is_loopback
    except ValueError:
        return domain == "localhost"


def interfaces(base_url: str, role: str = "") -> Iterator[AgentInterface]:
    """Each binding once for every version that it speaks, of all agents or of a role's (which gRPC has no place for).

    In this order every client takes JSON-RPC where it knows it, in the newest version that it knows.
    """
    own = AGENT_PATH.format(role=quote(role, safe=""))
    yield from _both(TransportProtocol.JSONRPC, f"{base_url}{own if role else JSONRPC_PATH}")
    yield from _both(TransportProtocol.HTTP_JSON, f"{base_url}{own + '/rest' if role else REST_PATH}")
    if settings.A2A_GRPC_PORT and not role:
        yield from _both(TransportProtocol.GRPC, _grpc_address(base_url))


def _both(binding: TransportProtocol, url: str) -> Iterator[AgentInterface]:
    for version in VERSIONS:
        yield AgentInterface(url=url, protocol_binding=binding.value, protocol_version=version)


def _grpc_address(base_url: str) -> str:
    """`host:port`, as gRPC's clients take it."""
    domain, _ = split_domain_port(urlsplit(base_url).netloc)
    return settings.A2A_GRPC_URL or f"{domain}:{settings.A2A_GRPC_PORT}"
