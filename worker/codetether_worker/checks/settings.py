"""Settings that mean nothing: a wrong name in the file is otherwise never noticed."""

from __future__ import annotations

import difflib

from codetether_worker.checks.findings import Finding, warn
from codetether_worker.options import OPTIONS
from codetether_worker.sources import read_file


def check_file(named: str | None) -> list[Finding]:
    """One finding for each key of the config file (`--config`) that is no option's. Raises ConfigError."""
    known = [key for option in OPTIONS.values() for key in option.keys]
    return [_unknown(key, known) for key in read_file(named) if key not in known]


def _unknown(key: str, known: list[str]) -> Finding:
    close = difflib.get_close_matches(key.replace("-", "_").lower(), known, n=1)
    mend = f'call it "{close[0]}"' if close else "remove it; the options are named in the worker's documentation"
    return warn("settings", f'"{key}" in the config file is no option, and does nothing', mend)
