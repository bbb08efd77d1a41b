"""The gRPC server: both A2A services, reflection and health on one port."""

from pathlib import Path

import grpc
from django.conf import settings
from grpc_reflection.v1alpha import reflection

from apps.a2a.grpc import health, services

STREAMS_PER_CONNECTION = 1_000
CALLS_AT_ONCE = 10_000
PING_TIMEOUT_MS = 10_000
LEAST_PING_PAUSE_MS = 10_000
GRACE_SECONDS = 3.0
"""What calls that are under way get at the end; streams end by themselves, and waiting sends return at once."""


class CannotListenError(Exception):
    """The address is taken, or the certificate is no use; the message says it in one line."""


def make_server(host: str, port: int) -> tuple[grpc.aio.Server, int]:
    """A server that listens, and its port (0: any free one); it serves once it is started."""
    server = grpc.aio.server(
        handlers=[*services.handlers(), health.handler()],
        options=_options(),
        maximum_concurrent_rpcs=CALLS_AT_ONCE,
    )
    names = [*(one.full_name for one in services.SERVICES.values()), health.NAME, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    return server, _listen(server, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _options() -> list[tuple[str, int]]:
    """Sizes in bytes, times in milliseconds. Without the first, two processes would share a port unnoticed."""
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.MAX_BODY_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
        ("grpc.keepalive_time_ms", settings.SSE_KEEPALIVE_SECONDS * 1_000),
        ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", LEAST_PING_PAUSE_MS),
    ]


def _listen(server: grpc.aio.Server, address: str) -> int:
    port: int
    try:
        if settings.A2A_GRPC_TLS_CERT:
            port = server.add_secure_port(address, _credentials())
        else:
            port = server.add_insecure_port(address)
        return port
    except RuntimeError as error:
        raise CannotListenError(f"Cannot listen on {address} for gRPC: {error}") from error


def _credentials() -> grpc.ServerCredentials:
    try:
        key, chain = (Path(name).read_bytes() for name in (settings.A2A_GRPC_TLS_KEY, settings.A2A_GRPC_TLS_CERT))
    except OSError as error:
        raise CannotListenError(f"The certificate for gRPC cannot be read: {error}") from error
    return grpc.ssl_server_credentials([(key, chain)])
