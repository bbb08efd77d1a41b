"""The command line: `codetether` (also installed as `a2a-server`)."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from codetether import __version__, env
from codetether.embedded import EmbeddedError
from codetether.runtime import service_urls
from codetether.supervisor import sockets
from codetether.supervisor.errors import StartError
from codetether.supervisor.plan import Plan
from codetether.supervisor.up import report, restart_worker, up

TOP_LEVEL_OPTIONS = ("-h", "--help", "--version")
RUN = "the web server; its database is embedded unless DATABASE_URL and A2A_REDIS_URL are set (the default)"
UP = "everything: database, web server, gRPC, MCP's port, background jobs and a local agent worker"
GRPC = "A2A's gRPC binding, beside a web server with the same database"
MCP = "MCP alone, on a port of its own, beside a web server with the same database"
BRIDGE = "the bridge that takes tasks to remote A2A agents, beside a web server with the same database"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. What cannot start says why in one line on standard error."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        options.act(options)
    except (StartError, EmbeddedError, env.SettingError) as error:
        sys.stderr.write(f"codetether: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    # `codetether` and `codetether --port 8000` are `codetether run …`.
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in TOP_LEVEL_OPTIONS):
        arguments = ["run", *arguments]
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codetether", description="CodeTether: AI coding agents as a service that you run yourself."
    )
    parser.add_argument("--version", action="version", version=f"codetether {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", aliases=["serve"], help=RUN, description=f"Start {RUN}.")
    _add_server_options(run)
    run.set_defaults(act=_up, is_whole=False, no_worker=True)
    whole = commands.add_parser("up", help=UP, description=f"Start {UP}.")
    _add_server_options(whole)
    whole.add_argument("--no-worker", action="store_true", help="without the local agent worker")
    whole.set_defaults(act=_up, is_whole=True)
    grpc = commands.add_parser("grpc", help=GRPC, description=f"Start {GRPC}.")
    grpc.add_argument("--host", dest="grpc_host", help="address to listen on (A2A_GRPC_HOST, that of A2A_HOST)")
    grpc.add_argument("--port", dest="grpc_port", type=int, help="port to listen on (A2A_GRPC_PORT, default 50051)")
    _add_data_dir(grpc)
    grpc.set_defaults(act=_grpc)
    mcp = commands.add_parser("mcp", help=MCP, description=f"Start {MCP}.")
    mcp.add_argument("--host", dest="mcp_host", help="address to listen on (MCP_HTTP_HOST, that of A2A_HOST)")
    mcp.add_argument("--port", dest="mcp_port", type=int, help="port to listen on (MCP_HTTP_PORT, default 9000)")
    _add_data_dir(mcp)
    mcp.set_defaults(act=_mcp)
    bridge = commands.add_parser("bridge", help=BRIDGE, description=f"Start {BRIDGE}.")
    _add_data_dir(bridge)
    bridge.set_defaults(act=_bridge)
    again = commands.add_parser("restart-worker", help="restart the local agent worker of a running 'up'")
    _add_data_dir(again)
    again.set_defaults(act=_restart_worker)
    return parser


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (A2A_HOST, default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (A2A_PORT, default 8000)")
    parser.add_argument("--reload", action="store_true", help="restart the web server when the code changes")
    _add_data_dir(parser)


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="where data, secrets and logs are kept (CODETETHER_DATA_DIR, .codetether)",
    )


def _settings(options: argparse.Namespace) -> env.Env:
    """The environment's settings with the command line's on top."""
    return env.load(_environment(options))


def _environment(options: argparse.Namespace) -> dict[str, str]:
    given = {
        "A2A_HOST": "host",
        "A2A_PORT": "port",
        "A2A_GRPC_HOST": "grpc_host",
        "A2A_GRPC_PORT": "grpc_port",
        "MCP_HTTP_HOST": "mcp_host",
        "MCP_HTTP_PORT": "mcp_port",
        "CODETETHER_DATA_DIR": "data_dir",
    }
    values = {name: getattr(options, option, None) for name, option in given.items()}
    return env.inherited(**{name: str(value) for name, value in values.items() if value is not None})


def _up(options: argparse.Namespace) -> None:
    up(
        Plan(
            settings=_settings(options),
            is_whole=options.is_whole,
            has_worker=not options.no_worker,
            reload=options.reload,
        )
    )


def _grpc(options: argparse.Namespace) -> None:
    """Becomes the gRPC process, once it is sure that it can start."""
    settings = _settings(options)
    if not settings.grpc_port:
        raise StartError("A2A_GRPC_PORT is 0, which turns gRPC off; give a port.")
    service_urls(settings)
    sockets.check_grpc(settings)
    os.execve(sys.executable, [sys.executable, "-m", "codetether.grpc_server"], _environment(options))


def _mcp(options: argparse.Namespace) -> None:
    """Becomes a web process that listens on MCP's port alone, once it is sure that it can start."""
    settings = _settings(options)
    if not settings.mcp_port:
        raise StartError("MCP has no port here (MCP_HTTP_ENABLED, MCP_HTTP_PORT); give one.")
    service_urls(settings)
    listener = sockets.listen_for_mcp(settings)
    listener.set_inheritable(True)
    environment = _environment(options) | {"MCP_HTTP_PORT": str(settings.mcp_port)}
    command = ["-m", "codetether.web", f"--fd={listener.detach()}", f"--log-level={settings.log_level}"]
    os.execve(sys.executable, [sys.executable, *command], environment)


def _bridge(options: argparse.Namespace) -> None:
    """Becomes the bridge process, once it is sure that there is a database to work for."""
    service_urls(_settings(options))
    os.execve(sys.executable, [sys.executable, "-m", "codetether.bridge"], _environment(options))


def _restart_worker(options: argparse.Namespace) -> None:
    pid = restart_worker(_settings(options).data_dir)
    report(f"asked process {pid} to restart its local worker")


if __name__ == "__main__":
    sys.exit(main())
