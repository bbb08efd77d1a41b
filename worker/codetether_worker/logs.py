"""Log lines on stderr: time, level, source, message and key=value details. Tokens are never logged."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable


class _UtcFormatter(logging.Formatter):
    """`hide` takes secrets out of whole lines, with what they tell of errors."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"
    hide: Callable[[str], str] | None = None

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line if self.hide is None else self.hide(line)


def set_up_logging(level: str) -> None:
    """Send everything at `level` and above to stderr; libraries only from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_UtcFormatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("codetether_worker").setLevel(level)


def hide_in_logs(hide: Callable[[str], str]) -> None:
    """From here on no line is written that `hide` has not seen."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _UtcFormatter):
            handler.formatter.hide = hide
