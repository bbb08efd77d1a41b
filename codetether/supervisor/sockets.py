"""The web server's listening socket. The supervisor holds it: the port is ours from the first moment, and
requests wait instead of being refused while the web process restarts."""

import errno
import socket

from codetether.env import Env
from codetether.supervisor.errors import StartError

BACKLOG = 2048
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """Listen on the address, or raise StartError with one line that says why not; `option` is what sets the port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(_reason(host, port, option, error)) from error


def check_grpc(settings: Env) -> None:
    """StartError where the gRPC process could not listen; it opens its socket itself, and gRPC's errors say less."""
    listen(settings.grpc_host, settings.grpc_port, option="A2A_GRPC_PORT (0: without gRPC)").close()


def listen_for_mcp(settings: Env) -> socket.socket:
    """The socket that is MCP's alone; StartError where it cannot be had."""
    return listen(settings.mcp_host, settings.mcp_port, option="MCP_HTTP_PORT (0: without a port of its own)")


def url(host: str, port: int) -> str:
    """The address by which this machine reaches the web server."""
    return f"http://{address(host, port)}"


def address(host: str, port: int) -> str:
    """As `url`, without a scheme."""
    host = ANY.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reason(host: str, port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use; stop the program that has it, or choose another with {option}."
    if error.errno == errno.EACCES:
        return f"Port {port} is only for root; choose one above 1023 with {option}."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."
