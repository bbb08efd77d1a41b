"""The `codetether-worker` command."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from codetether_worker import __version__, status_text
from codetether_worker.checks.findings import all_well, as_json, as_table
from codetether_worker.checks.run import check_all, wrong_setting
from codetether_worker.checks.settings import check_file
from codetether_worker.config import Config, load_config
from codetether_worker.daemon import Daemon
from codetether_worker.errors import ConfigError, WorkerError
from codetether_worker.logs import set_up_logging
from codetether_worker.options import DEFAULT_FILE, OPTIONS
from codetether_worker.status_text import status_of

log = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_USAGE = 2


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codetether-worker",
        description="Runs coding agents on this machine for a CodeTether server.",
        epilog="The token is read from A2A_TOKEN or --token-file, never from the command line.",
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", choices=["status"], help="say what the running worker does, and end")
    for option in OPTIONS.values():
        option.add_to(parser)
    add = parser.add_argument
    add("--check", action="store_true", help="look whether a worker with these options would work, and end")
    add("--json", action="store_true", help="with --check and status: for programs")
    add("--config", metavar="FILE", help=f"JSON settings (default: {DEFAULT_FILE})")
    add("--env-file", metavar="FILE", help="further variables, as systemd's EnvironmentFile has them")
    add("--version", action="version", version=f"codetether-worker {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the daemon until it is told to stop; the exit code is 0 after an orderly stop."""
    flags = build_parser().parse_args(argv)
    if flags.check:
        return _check(flags)
    try:
        config = load_config(flags, missing_allowed=flags.command == "status")
        if flags.command == "status":
            return _status(config, for_programs=flags.json)
        set_up_logging(config.log_level)
        for found in check_file(flags.config):
            log.warning("%s: %s", found.text, found.mend)
        return asyncio.run(_run(config))
    except ConfigError as error:
        sys.stderr.write(f"codetether-worker: {error}\n")
        return EXIT_USAGE
    except WorkerError as error:
        sys.stderr.write(f"codetether-worker: {error}\n")
        return EXIT_FAILED


def _check(flags: argparse.Namespace) -> int:
    """Show what is found; 0 when a worker would work."""
    try:
        findings = check_file(flags.config) + asyncio.run(check_all(load_config(flags, missing_allowed=True)))
    except ConfigError as error:
        findings = wrong_setting(error)
    sys.stdout.write(as_json(findings) if flags.json else as_table(findings))
    return 0 if all_well(findings) else EXIT_FAILED


def _status(config: Config, *, for_programs: bool) -> int:
    """Show what the worker of the state folder does; 1 when none runs."""
    try:
        facts = status_of(config.state_dir)
    except OSError as error:
        raise WorkerError(f"{config.state_dir} cannot be read: {error.strerror}; ask as its worker's user") from error
    sys.stdout.write(status_text.as_json(facts) if for_programs else status_text.as_text(facts))
    return 0 if facts["running"] else EXIT_FAILED


async def _run(config: Config) -> int:
    return await Daemon(config).run()
