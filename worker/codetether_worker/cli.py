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
from codetether_worker.options import DEFAULT_FILE, OPTIONS

EXIT_FAILED = 1
EXIT_USAGE = 2


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codetether-worker",
        description="Runs coding agents on this machine for a CodeTether server.",
        epilog="The token is read from A2A_TOKEN or --token-file, never from the command line.",
        allow_abbrev=False,
    )
    for option in OPTIONS.values():
        option.add_to(parser)
    add = parser.add_argument
    add("--config", metavar="FILE", help=f"JSON settings (default: {DEFAULT_FILE})")
    add("--env-file", metavar="FILE", help="further variables, as systemd's EnvironmentFile has them")
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
