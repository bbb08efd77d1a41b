"""Prepared statements straight through libpq, on Django's own connection.

psycopg's cursor waits for each answer in Python; here one call into libpq sends, waits and reads. For a statement that
takes a disk write that halves what it costs this process (docs/decisions). Values still go through psycopg's adapters,
so types are what the ORM gives and takes. Inside a transaction, which psycopg itself must begin, the cursor is used.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.types.datetime import TimestamptzLoader

from apps.core.tenancy import told

STATEMENTS_PER_CONNECTION = 200
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_SEPARATOR = "\x1e"
_names = count(1)


class Session:
    """What is kept for a connection: the names of its prepared statements, and the adapters that it has looked up."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.names: dict[str, bytes] = {}
        adapters = AdaptersMap(raw.adapters)
        adapters.register_loader("timestamptz", TimestamptzLoader)  # compiled; Django's own is Python
        self.transformer = Transformer(adapters)  # not of the connection itself: that would keep it alive


_sessions: WeakKeyDictionary[psycopg.Connection[Any], Session] = WeakKeyDictionary()


def execute(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of one statement with `%(name)s` placeholders; database errors come out as Django's."""
    connection = connections[DEFAULT_DB_ALIAS]  # looked up once: `django.db.connection` does it for each attribute
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    told(connection).tell(connection)
    raw: psycopg.Connection[Any] = connection.connection
    with connection.wrap_database_errors:
        if raw.autocommit:
            return _straight(raw, sql, params)
        with psycopg.Cursor(raw) as cursor:
            cursor.execute(sql.encode(), params, prepare=True)
            return cursor.fetchall()


def array(values: list[Any]) -> object:
    """A list as the text of a PostgreSQL array, at a tenth of what psycopg takes for it; the SQL says of which type.

    Numbers and texts only: what else there is, and texts that hold our separator, are left to psycopg.
    """
    kinds = set(map(type, values))
    if kinds <= {int}:
        return f"{{{','.join(map(str, values))}}}"
    joined = _SEPARATOR.join(values) if kinds == {str} else None
    if joined is None or joined.count(_SEPARATOR) != len(values) - 1:
        return values
    quoted = joined.replace("\\", "\\\\").replace('"', '\\"').replace(_SEPARATOR, '","')
    return f'{{"{quoted}"}}'


def _straight(raw: psycopg.Connection[Any], sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    numbered, names = _numbered(sql)
    session = _sessions.get(raw)
    if session is None:
        session = _sessions[raw] = Session(raw)
    transformer = session.transformer
    given = [array(value) if type(value) is list else value for value in map(params.__getitem__, names)]
    values = transformer.dump_sequence(given, [PyFormat.TEXT] * len(names))
    statement = _statement(raw, session.names, numbered)
    if statement is None:
        result = raw.pgconn.exec_params(numbered.encode(), values)
    else:
        result = raw.pgconn.exec_prepared(statement, values)  # type: ignore[arg-type]  # its stub forgets NULL
    if result.status != ExecStatus.TUPLES_OK:
        raise _error(raw, result)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _error(raw: psycopg.Connection[Any], result: PGresult) -> psycopg.Error:
    """What went wrong. A lost connection has no SQLSTATE, by which psycopg chooses the class of its errors."""
    if raw.pgconn.status == ConnStatus.BAD:
        return psycopg.OperationalError(result.get_error_message())
    return error_from_result(result, encoding="utf-8")


def _statement(raw: psycopg.Connection[Any], known: dict[str, bytes], sql: str) -> bytes | None:
    """The statement's name on this connection, prepared at its first use; None when there are too many."""
    name = known.get(sql)
    if name is None and len(known) < STATEMENTS_PER_CONNECTION:
        name = b"codetether_%d" % next(_names)
        result = raw.pgconn.prepare(name, sql.encode())
        if result.status != ExecStatus.COMMAND_OK:
            raise _error(raw, result)
        known[sql] = name
    return name


@lru_cache(maxsize=500)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with libpq's `$1`, and the names in that order."""
    names: dict[str, int] = {}
    text = _PLACEHOLDER.sub(lambda found: f"${names.setdefault(found[1], len(names) + 1)}", sql)
    return text.replace("%%", "%"), tuple(names)
