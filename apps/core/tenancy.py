"""Whose rows the database shows: the second wall between workspaces, behind the filters of the selectors.

PostgreSQL's row-level security (`row_security.py`) shows and takes only rows of the workspaces that a statement is run
for. Here is who says which those are, and how each connection learns of it before its next statement:

- a request begins as `NOBODY`, who sees no workspace's rows, and becomes its principal's with authentication;
- jobs, commands and what a process does of its own accord act `EVERYWHERE`, as does what must look across
  workspaces to find out who is asking;
- migrations run `AS_OWNER`, which is the role that logged in; everything else runs as `APP_ROLE`, which owns nothing.

A connection belongs to one thread and is told anew whenever it is to act for somebody else, so a pooled connection
never acts for whoever used it last (docs/decisions/0019-row-level-security.md).
"""

import contextvars
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

APP_ROLE = "codetether_app"
SETTING = "codetether.workspaces"
_TOLD = "SELECT set_config('role', %s, %s), set_config('codetether.workspaces', %s, %s)"


class Acting(NamedTuple):
    """The database role, and the workspaces: ids with commas between them, or `*`."""

    role: str
    workspaces: str


EVERYWHERE = Acting(APP_ROLE, "*")
NOBODY = Acting(APP_ROLE, "")
AS_OWNER = Acting("none", "")

_current: contextvars.ContextVar[Acting] = contextvars.ContextVar("acting", default=EVERYWHERE)


def current() -> Acting:
    """For whom the statements of this context run."""
    return _current.get()


@lru_cache(maxsize=1_000)
def of_workspaces(*workspace_ids: uuid.UUID) -> Acting:
    """Who sees these workspaces and no other."""
    return Acting(APP_ROLE, ",".join(map(str, workspace_ids)))


def act_for(*workspace_ids: uuid.UUID) -> None:
    """From here on this context (a request's task or thread) acts for these workspaces."""
    _current.set(of_workspaces(*workspace_ids))


def act_for_nobody() -> None:
    """From here on this context sees no workspace's rows: a request that nobody has been found for yet."""
    _current.set(NOBODY)


class acting:  # noqa: N801 (a block, like those of contextlib; as a generator it took a request five times as long)
    """Act for these within the block, then again for whom we acted before."""

    __slots__ = ("_before", "_whom")

    def __init__(self, whom: Acting) -> None:
        self._whom = whom

    def __enter__(self) -> None:
        self._before = _current.set(self._whom)

    def __exit__(self, *failure: object) -> None:
        _current.reset(self._before)


def together(those: Iterable[Acting]) -> Acting:
    """Who sees what any of those sees."""
    names = {name for one in those for name in one.workspaces.split(",") if name}
    return EVERYWHERE if "*" in names else Acting(APP_ROLE, ",".join(sorted(names)))


class Told:
    """What a connection has been told: for its session, and whether a transaction under way was told otherwise."""

    __slots__ = ("in_session", "in_transaction")

    def __init__(self) -> None:
        self.in_session: Acting | None = None
        self.in_transaction = False

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's `execute_wrapper`."""
        self.tell(context["connection"])
        return execute(sql, params, many, context)

    def tell(self, connection: Any) -> None:
        """Before a statement runs on it, its connection acts for whom this context acts."""
        whom = _current.get()
        if whom != self.in_session or self.in_transaction:
            with connection.wrap_database_errors:
                self._tell(connection.connection, whom)

    def _tell(self, raw: Any, whom: Acting) -> None:
        """Between transactions for the session; within one for the rest of it, since a rollback takes it back."""
        status = raw.pgconn.transaction_status
        if status == TransactionStatus.IDLE:
            self.in_transaction = False
            if whom != self.in_session:
                self.in_session = None  # unknown, should the telling break
                _outside_transaction(raw, whom)
                self.in_session = whom
        elif status != TransactionStatus.INERROR:  # after an error only a rollback is taken, which is for nobody
            self.in_transaction = True
            _set(raw, whom, local=True)


def _outside_transaction(raw: Any, whom: Acting) -> None:
    """Django turns `autocommit` off before a transaction's first statement; this one must not become part of it."""
    autocommit = raw.autocommit
    if not autocommit:
        raw.autocommit = True
    try:
        _set(raw, whom, local=False)
    finally:
        if not autocommit:
            raw.autocommit = False


def _set(raw: Any, whom: Acting, *, local: bool) -> None:
    raw.execute(_TOLD, (whom.role, local, whom.workspaces, local))


def told(connection: Any) -> Told:
    """What this connection of Django's has been told."""
    return cast(Told, connection.codetether_told)


def _watch(sender: object, connection: Any, **_: object) -> None:
    """A new connection has been told nothing; whatever one before it was told went with that one.

    Connections to no database in particular, by which databases are made and dropped, stay the owner's.
    """
    if connection.alias != NO_DB_ALIAS:
        connection.codetether_told = Told()
        kept = [wrapper for wrapper in connection.execute_wrappers if not isinstance(wrapper, Told)]
        connection.execute_wrappers[:] = [*kept, connection.codetether_told]


connection_created.connect(_watch, dispatch_uid="apps.core.tenancy")
