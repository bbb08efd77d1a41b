"""What the server has of this machine's sessions, so that only what has changed is read and sent.

A small database in the state folder. It says only what the server has acknowledged; without it everything is sent
again, which changes nothing there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_TABLES = """
CREATE TABLE IF NOT EXISTS seen (store TEXT, key TEXT, scope TEXT, mark TEXT, PRIMARY KEY (store, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (codebase TEXT, session TEXT, message TEXT, digest BLOB,
    PRIMARY KEY (codebase, session, message)) WITHOUT ROWID;
"""


class Cursor:
    """To be used with `with`, by one thread at a time. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """A file that is damaged is made anew."""
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError:  # no disk, no right: the file itself may be well
            raise
        except sqlite3.DatabaseError:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            self._connection = _opened(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def is_new(self, store: str, key: str, *, scope: str, mark: str) -> bool:
        """Whether the session, as it is now and seen from these codebases, has not been dealt with."""
        found = self._connection.execute("SELECT scope, mark FROM seen WHERE store = ? AND key = ?", (store, key))
        return bool(found.fetchone() != (scope, mark))

    def note(self, store: str, key: str, *, scope: str, mark: str) -> None:
        with self._connection:
            self._connection.execute("REPLACE INTO seen VALUES (?, ?, ?, ?)", (store, key, scope, mark))

    def sent(self, codebase_id: str, session_id: str) -> set[tuple[str, bytes]]:
        """The messages of the session that the server has, as ids with digests."""
        sql = "SELECT message, digest FROM sent WHERE codebase = ? AND session = ?"
        return set(self._connection.execute(sql, (codebase_id, session_id)))

    def note_sent(self, codebase_id: str, session_id: str, messages: Iterable[tuple[str, bytes]]) -> None:
        rows = ((codebase_id, session_id, message_id, digest) for message_id, digest in messages)
        with self._connection:
            self._connection.executemany("REPLACE INTO sent VALUES (?, ?, ?, ?)", rows)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_TABLES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
