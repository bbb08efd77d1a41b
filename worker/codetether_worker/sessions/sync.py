"""Tells the server of the sessions that agent programs keep here: at the start, after each task, and now and then.

Only sessions are told whose folder lies in one of the worker's codebases. Nothing here may disturb a task: reading
happens in threads, and whatever fails is tried again in the next round.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codetether_sessions.redaction import Redactor
from codetether_sessions.shape import Entry, Facts
from codetether_sessions.stores import SPOILT, Store
from codetether_worker.backoff import Backoff, wait_for_any
from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerRefused, ServerUnreachable
from codetether_worker.sessions.cursor import Cursor
from codetether_worker.sessions.limits import SessionLimits
from codetether_worker.sessions.spool import Spool

log = logging.getLogger(__name__)

Folders = Sequence[tuple[str, Path]]
"""The worker's codebases: id and folder, symlinks resolved."""

AT_ONCE = 20
"""Sessions that are read before they are sent together."""
_GATHER = 0.3  # seconds; what ends a task often wakes twice


@dataclass(frozen=True, slots=True)
class Changed:
    """A session that differs from what the server has; `mark` was taken before it is read."""

    store: Store
    entry: Entry
    mark: str


@dataclass(frozen=True, slots=True)
class Read:
    """A session that has been read, with the codebase in which it lies."""

    changed: Changed
    codebase_id: str
    facts: Facts
    spool: Spool


class SessionSync:
    """One worker's sync. `folders` is asked anew in each round, `find` for the stores too."""

    def __init__(
        self, client: ControlPlane, *, state_dir: Path, limits: SessionLimits, redactor: Redactor,
        folders: Callable[[], Folders], find: Callable[[], list[Store]],
    ) -> None:  # fmt: skip
        self._client = client
        self._state_dir = state_dir
        self._limits = limits
        self._redactor = redactor
        self._folders = folders
        self._find = find
        self.wake = asyncio.Event()
        """Set it when a session may have changed."""

    async def run(self) -> None:
        """Rounds until cancelled; none at all when they are switched off."""
        backoff = Backoff(base=2.0, cap=max(self._limits.interval, 2.0))
        while self._limits.interval:
            delay = self._limits.interval
            try:
                await self.run_round()
                backoff.reset()
            except ServerUnreachable as error:
                delay = backoff.next_delay(error.retry_after)
                log.info("sessions wait %.1f s for the server: %s", delay, error)
            except (ServerRefused, OSError, sqlite3.Error) as error:
                log.warning("sessions are not synced in this round: %s", error)
            await wait_for_any(self.wake, limit=delay)
            await asyncio.sleep(_GATHER)
            self.wake.clear()

    async def run_round(self) -> int:
        """Tell the server all that has changed; how many sessions that were."""
        folders = [(codebase_id, path.resolve()) for codebase_id, path in self._folders()]
        if not folders:
            return 0
        scope = hashlib.blake2b(repr(sorted(folders)).encode(), digest_size=8).hexdigest()
        synced = 0
        with await asyncio.to_thread(Cursor, self._state_dir / "sessions.db") as cursor:
            changed = await asyncio.to_thread(self._list_changed, cursor, folders, scope)
            for start in range(0, len(changed), AT_ONCE):
                synced += await self._sync_some(cursor, changed[start : start + AT_ONCE], folders, scope)
        return synced

    def _list_changed(self, cursor: Cursor, folders: Folders, scope: str) -> list[Changed]:
        """In a thread. A session that two stores of a program hold counts where it was found first."""
        found: list[Changed] = []
        known: set[tuple[str, str]] = set()
        for store in self._find():
            try:
                entries = store.reader.list_entries(store.path)
            except SPOILT as error:
                log.warning("sessions cannot be listed path=%s: %s", store.path, error)
                continue
            ours = [e for e in entries if e.directory is None or codebase_of(e.directory, folders)]
            ours.sort(key=lambda entry: entry.moved, reverse=True)
            first = (entry for entry in ours[: self._limits.sessions] if (store.source, entry.key) not in known)
            found += [changed for entry in first if (changed := _if_changed(cursor, store, entry, scope))]
            known.update((store.source, entry.key) for entry in entries)
        return found

    async def _sync_some(self, cursor: Cursor, some: Sequence[Changed], folders: Folders, scope: str) -> int:
        with ExitStack() as open_spools:
            read: list[Read] = []
            for changed in some:
                found = await asyncio.to_thread(self._read, changed, folders)
                if found is None:
                    self._note(cursor, changed, scope)
                else:
                    read.append(found)
                    open_spools.enter_context(found.spool)
            refused = await self._send_sessions(read)
            for session in read:
                if session.codebase_id not in refused and await self._send_messages(cursor, session):
                    self._note(cursor, session.changed, scope)
        return len(read)

    def _note(self, cursor: Cursor, changed: Changed, scope: str) -> None:
        cursor.note(str(changed.store.path), changed.entry.key, scope=scope, mark=changed.mark)

    def _read(self, changed: Changed, folders: Folders) -> Read | None:
        """In a thread: the session, None when it lies in none of the codebases or cannot be read."""
        store, entry = changed.store, changed.entry
        spool = Spool(self._state_dir, self._redactor)
        try:
            facts = store.reader.read_session(store.path, entry.key, spool.keep)
        except sqlite3.OperationalError:  # busy, or its disk is: the next round will tell
            spool.close()
            raise
        except SPOILT as error:
            log.warning("session cannot be read and is left out path=%s session=%s: %r", store.path, entry.key, error)
            facts = None
        codebase_id = codebase_of((facts and facts.directory) or entry.directory or "", folders)
        if facts is None or not codebase_id:
            spool.close()
            return None
        facts.directory = facts.directory or entry.directory or ""
        return Read(changed, codebase_id, facts, spool)

    async def _send_sessions(self, read: Sequence[Read]) -> set[str]:
        """Tell of the sessions themselves; returns the codebases whose sessions the server does not want."""
        refused: set[str] = set()
        for codebase_id, source in sorted({(one.codebase_id, one.changed.store.source) for one in read}):
            told = [
                self._redactor.value(one.facts.to_json(message_count=len(one.spool)))
                for one in read
                if (one.codebase_id, one.changed.store.source) == (codebase_id, source)
            ]
            try:
                await self._client.sync_sessions(codebase_id, source=source, sessions=told)
            except ServerRefused as error:
                log.warning("sessions refused codebase=%s: %s", codebase_id, error)
                refused.add(codebase_id)
        return refused

    async def _send_messages(self, cursor: Cursor, session: Read) -> bool:
        """Tell of the messages that the server does not have; whether that is settled."""
        codebase_id, session_id = session.codebase_id, session.facts.id
        known: Collection[tuple[str, bytes]] = cursor.sent(codebase_id, session_id)
        batches = session.spool.batches(newest=self._limits.messages, but=known)
        while batch := await asyncio.to_thread(next, batches, None):
            messages, told = batch
            try:
                await self._send_batch(codebase_id, session_id, messages)
            except ServerRefused as error:
                log.warning("messages refused session=%s: %s", session_id, error)
                return False
            cursor.note_sent(codebase_id, session_id, told)
        return True

    async def _send_batch(self, codebase_id: str, session_id: str, messages: list[Any]) -> None:
        """A message that the server cannot take is found by halving, and left out."""
        try:
            await self._client.sync_messages(codebase_id, session_id, messages)
        except ServerRefused as error:
            if error.status not in (400, 413, 422):
                raise
            if len(messages) == 1:
                log.warning("message left out session=%s message=%s: %s", session_id, messages[0].get("id"), error)
                return
            middle = len(messages) // 2
            await self._send_batch(codebase_id, session_id, messages[:middle])
            await self._send_batch(codebase_id, session_id, messages[middle:])


def _if_changed(cursor: Cursor, store: Store, entry: Entry, scope: str) -> Changed | None:
    try:
        mark = store.reader.mark_of(store.path, entry.key)
    except (OSError, sqlite3.DatabaseError) as error:  # gone since it was listed, or busy
        log.info("session cannot be looked at path=%s session=%s: %s", store.path, entry.key, error)
        return None
    is_new = cursor.is_new(str(store.path), entry.key, scope=scope, mark=mark)
    return Changed(store, entry, mark) if is_new else None


def codebase_of(directory: str, folders: Folders) -> str:
    """The codebase in which the folder lies, the innermost of several; nothing if in none."""
    if not directory or not os.path.isabs(directory):
        return ""
    path = Path(os.path.realpath(directory))
    around = [(len(folder.parts), codebase_id) for codebase_id, folder in folders if path.is_relative_to(folder)]
    return max(around)[1] if around else ""
