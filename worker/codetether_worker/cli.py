"""The `codetether-worker` command."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from codetether_worker import __version__
from codetether_worker.config import Config, load_config
from codetether_worker.daemon import Daemon
from codetether_worker.errors import ConfigError, WorkerError
from codetether_worker.logs import set_up_logging

EXIT_FAILED = 1
EXIT_USAGE = 2


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codetether-worker",
        description="Runs coding agents on this machine for a CodeTether server.",
        epilog="The token is read from A2A_TOKEN or --token-file, never from the command line.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--server-url", "--server", dest="server_url", metavar="URL", help="address of the control plane")
    add("--name", metavar="NAME", help="how people will know this worker (default: the host name)")
    add("--worker-id", metavar="ID", help="identity towards the server (default: made once, then kept)")
    add("--codebases", metavar="PATH[,PATH]", help="folders to offer, separated by commas")
    add("--codebase", action="append", metavar="[NAME:]PATH", help="one folder to offer; may be repeated")
    add("--agent-name", metavar="ROLE", help="role under which others find this worker's agent")
    add("--agent-description", metavar="TEXT", help="what that agent is good for")
    add("--no-agent-registration", action="store_true", help="do not appear among the discoverable agents")
    add("--concurrency", metavar="N", help="tasks at once (default: 2)")
    add("--state-dir", metavar="DIR", help="where identity and undelivered events are kept")
    add("--token-file", metavar="FILE", help="file that holds the access token")
    add("--config", metavar="FILE", help="JSON settings (default: /etc/a2a-worker/config.json)")
    add("--version", action="version", version=f"codetether-worker {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to stop; the exit code is 0 after an orderly stop."""
    flags = build_parser().parse_args(argv)
    try:
        config = load_config(flags)
        set_up_logging(config.log_level)
        return asyncio.run(_run(config))
    except ConfigError as error:
        sys.stderr.write(f"codetether-worker: {error}\n")
        return EXIT_USAGE
    except WorkerError as error:
        sys.stderr.write(f"codetether-worker: {error}\n")
        return EXIT_FAILED


async def _run(config: Config) -> int:
    return await Daemon(config).run()
