"""What of the worker's own settings its systemd unit has to know: printed as a drop-in, for worker/install.sh.

`python -m codetether_worker.service_unit CONFIG ENV_FILE HOME`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from codetether_worker.cli import EXIT_USAGE, build_parser
from codetether_worker.config import Config, load_config
from codetether_worker.errors import ConfigError

STATE_DIRECTORY = Path("/var/lib/a2a-worker")
"""Made by systemd (StateDirectory=), and writable without being named."""
_HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))  # by ProtectHome=yes
_STOPPING = 30  # seconds beyond the graces: saying the rest, saying goodbye, a slow machine


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="codetether_worker.service_unit", allow_abbrev=False)
    for name in ("config", "env_file", "home"):
        parser.add_argument(name)
    given = parser.parse_args(argv)
    flags = build_parser().parse_args(["--config", given.config, "--env-file", given.env_file])
    try:
        config = load_config(flags, {"HOME": given.home}, missing_allowed=True)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sys.stdout.write(drop_in(config, home=Path(given.home)))
    return 0


def drop_in(config: Config, *, home: Path) -> str:
    """The part of the unit that depends on the settings; `home` is that of the user who runs the worker.

    A folder that is missing does not keep the service from starting: the worker says so itself, and better.
    """
    writable = list(_outside([home, config.state_dir, *(spec.path for spec in config.codebases)]))
    lines = ["# Made by install.sh from the worker's settings; run it again after a change of codebases.", "[Service]"]
    lines.append(f"TimeoutStopSec={config.drain_grace + config.stop_grace + _STOPPING:.0f}")
    if any(path.is_relative_to(hidden) for path in writable for hidden in _HIDDEN):
        lines.append("ProtectHome=read-only")
    lines += [f"ReadWritePaths={_quoted(f'-{path}')}" for path in writable]
    return "\n".join(lines) + "\n"


def _outside(paths: Iterable[Path]) -> Iterable[Path]:
    """Each once, without those that systemd lets the service write anyway."""
    return dict.fromkeys(path for path in paths if not path.is_relative_to(STATE_DIRECTORY))


def _quoted(text: str) -> str:
    """As systemd.syntax(7) has it; a percent sign would begin a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main())
