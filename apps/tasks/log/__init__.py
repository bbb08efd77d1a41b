"""Reading the log. Every stream is this: read after a place, wait for a wake-up or the poll, repeat.

`read` and `follow` serve one task by its gap-free `seq`. `read_workspace` and `follow_workspace` serve
readers of many tasks by `position`, and stay below the oldest transaction that runs in the database, so that a slow one
cannot hide an event from them.
"""

from apps.tasks.log.entries import Cursor, LogEvent
from apps.tasks.log.following import Batch, follow, follow_workspace
from apps.tasks.log.reading import PAGE, is_past, now_cursor, read, read_workspace
from apps.tasks.log.settling import grown, settled
from apps.tasks.log.sweep import POLL_SECONDS
from apps.tasks.log.whole import BEGINNING, Read, read_whole

__all__ = [
    "PAGE",
    "BEGINNING",
    "POLL_SECONDS",
    "Batch",
    "Cursor",
    "LogEvent",
    "Read",
    "follow",
    "follow_workspace",
    "grown",
    "is_past",
    "now_cursor",
    "read",
    "read_whole",
    "read_workspace",
    "settled",
]
