"""Whom the server calls is decided in one place (`apps/core/outbound.py`); nothing opens connections by other means."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import Source, sources

DOOR = "apps/core/outbound.py"
CLIENTS = (
    "requests", "urllib3", "urllib.request", "http.client", "aiohttp", "httpcore", "websockets", "websocket", "pycurl",
    "ftplib", "smtplib", "telnetlib", "xmlrpc", "niquests", "boto3", "botocore", "paramiko",
)  # fmt: skip
"""Modules by which one calls others; httpx is known everywhere for its types and errors."""
OPENING = frozenset({
    "httpx.AsyncClient", "httpx.Client", "httpx.AsyncHTTPTransport", "httpx.HTTPTransport", "httpx.get", "httpx.post",
    "httpx.put", "httpx.patch", "httpx.delete", "httpx.head", "httpx.options", "httpx.request", "httpx.stream",
    "socket.create_connection", "socket.socket", "asyncio.open_connection", "loop.create_connection", "urlopen",
    "PyJWKClient", "jwt.PyJWKClient", "webpush", "grpc.insecure_channel", "grpc.secure_channel",
    "grpc.aio.insecure_channel", "grpc.aio.secure_channel",
})  # fmt: skip
OWN_MACHINE = {
    "codetether/web.py": "the listening socket that it is handed",
    "codetether/supervisor/run.py": "asks its own web process whether it is up",
    "codetether/embedded/ports.py": "free ports of this machine",
    "codetether/embedded/valkey.py": "the embedded server's port",
}
"""What has to do with sockets and calls nobody whom a client could name."""


def imported(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def opened(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in OPENING:
            yield f"{source.name}:{node.lineno}: {name}"


STORAGE = {"apps/files/s3.py"}
"""Calls the object storage that the operator has set, and knows its client for the errors."""
SERVER = [source for source in sources(("apps", "codetether")) if source.name != DOOR]


@pytest.mark.parametrize("client", CLIENTS)
def test_no_other_client_is_known(client: str) -> None:
    knowing = {
        source.name for source in SERVER for name in imported(source) if name == client or name.startswith(f"{client}.")
    }
    assert not knowing - STORAGE, f"call by {DOOR}"


def test_nothing_else_opens_a_connection() -> None:
    found = [line for source in SERVER if source.name not in OWN_MACHINE for line in opened(source)]
    assert not found, f"call by {DOOR}"


def test_what_is_about_this_machine_only_stays_so_few() -> None:
    opening = {source.name for source in SERVER if any(opened(source))}
    assert opening <= OWN_MACHINE.keys()
    assert OWN_MACHINE.keys() - opening == set(), "take these out"


def test_the_door_itself_opens_the_connections() -> None:
    (door,) = (source for source in sources(("apps",)) if source.name == DOOR)
    assert any(opened(door))


@pytest.mark.parametrize(
    "caller",
    [
        "apps/a2a/push_delivery.py",
        "apps/federation/cards.py",
        "apps/federation/remote.py",
        "apps/accounts/oidc/provider.py",
        "apps/audit/anchoring.py",
        "apps/notifications/web_push.py",
    ],
)
def test_who_calls_addresses_of_others_goes_by_the_door(caller: str) -> None:
    """Push notifications, remote agents, the identity provider's discovery and keys, the trail's anchor, devices."""
    (source,) = (source for source in SERVER if source.name == caller)
    assert any(name.startswith("apps.core.outbound") for name in imported(source))
