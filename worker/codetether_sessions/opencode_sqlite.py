"""OpenCode's database (1.2 and later): one SQLite file, usually in WAL mode and being written to.

It is opened read-only, and each session is read in one transaction, that is as it was at one moment.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from codetether_sessions.opencode import SOURCE, identify, message_json, session_facts
from codetether_sessions.shape import Entry, Facts, Head, Json, Keep, known_id, text, whole

__all__ = ["SOURCE", "identify", "list_entries", "mark_of", "read_head", "read_session"]

_BUSY_SECONDS = 5.0
_SESSION = ("directory", "title", "parent_id", "agent", "model", "cost", "tokens_input", "tokens_output",
            "tokens_cache_read", "time_created", "time_updated")  # fmt: skip
_ENTRIES = """SELECT s.id, s.time_updated, s.directory, s.project_id, p.worktree
    FROM session s LEFT JOIN project p ON p.id = s.project_id"""
_ENTRIES_ALONE = "SELECT id, time_updated, directory, '', '' FROM session"
_MARK = """SELECT s.time_updated,
    (SELECT count(*) || ':' || max(m.time_updated) FROM message m WHERE m.session_id = s.id),
    (SELECT count(*) || ':' || max(p.time_updated) FROM part p WHERE p.session_id = s.id)
    FROM session s WHERE s.id = ?"""
_MESSAGES = "SELECT id, data FROM message WHERE session_id = ? ORDER BY time_created, id"
_PARTS = "SELECT id, data FROM part WHERE message_id = ? ORDER BY id"


def list_entries(store: Path) -> list[Entry]:
    """The sessions of the database, in no order. Raises sqlite3.Error."""
    with _opened(store) as connection:
        knows_projects = connection.execute("PRAGMA table_info(project)").fetchone() is not None
        rows = connection.execute(_ENTRIES if knows_projects else _ENTRIES_ALONE).fetchall()
    return [
        Entry(key, whole(updated) / 1000, text(directory), project=text(project), worktree=text(worktree))
        for key, updated, directory, project, worktree in rows
        if known_id(key)
    ]


def mark_of(store: Path, key: str) -> str:
    """Differs whenever the session, one of its messages or one of their parts has been written."""
    with _opened(store) as connection:
        return repr(connection.execute(_MARK, [key]).fetchone())


def read_head(store: Path, key: str) -> Head | None:
    with _opened(store) as connection:
        row = _session_row(connection, key)
        (count,) = connection.execute("SELECT count(*) FROM message WHERE session_id = ?", [key]).fetchone()
    return None if row is None else Head(session_facts(key, row), count)


def read_session(store: Path, key: str, keep: Keep) -> Facts | None:
    """The session, its messages given to `keep` in order; None when it is gone."""
    with _opened(store) as connection:
        connection.execute("BEGIN")  # what the first SELECT sees is what all of them see
        row = _session_row(connection, key)
        if row is None:
            return None
        facts = session_facts(key, row)
        with closing(connection.execute(_MESSAGES, [key])) as rows:
            for message_id, data in rows:
                if known_id(message_id) and (said := _json(data)):
                    parts = connection.execute(_PARTS, [message_id])
                    found = ((part_id, part) for part_id, raw in parts if known_id(part_id) and (part := _json(raw)))
                    keep(message_json(message_id, said, found))
        return facts


def _session_row(connection: sqlite3.Connection, key: str) -> Json | None:
    """The session's row in the form of its JSON; columns that this version of OpenCode lacks are left out."""
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(session)")]
    wanted = [name for name in _SESSION if name in columns]
    values = connection.execute(f"SELECT {', '.join(wanted)} FROM session WHERE id = ?", [key]).fetchone()  # noqa: S608
    if values is None:
        return None
    row: dict[str, Any] = dict(zip(wanted, values, strict=True))
    tokens = {name: row.get(f"tokens_{name}") for name in ("input", "output")}
    return {
        "directory": row.get("directory"), "title": row.get("title"), "parentID": row.get("parent_id"),
        "agent": row.get("agent"), "model": _json(row.get("model")), "cost": row.get("cost"),
        "tokens": {**tokens, "cache": {"read": row.get("tokens_cache_read")}},
        "time": {"created": row.get("time_created"), "updated": row.get("time_updated")},
    }  # fmt: skip


@contextmanager
def _opened(store: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write. Where not even the WAL's index can be made (a read-only folder), and there is
    no WAL, nobody is writing and the file is read as it is."""
    address = f"{store.absolute().as_uri()}?mode=ro"
    try:
        connection = _connect(address)
    except sqlite3.OperationalError:
        if store.with_name(f"{store.name}-wal").exists():
            raise
        connection = _connect(f"{address}&immutable=1")
    with closing(connection):
        yield connection


def _connect(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _json(raw: object) -> Json:
    try:
        found = json.loads(raw) if isinstance(raw, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
