"""Sessions that agent programs keep on the server's own machine, read from their stores whenever somebody asks.

Nothing is kept and nothing is written. What a store says is freed of secrets and cut as a worker does it before it
syncs, and is given in the form of synced sessions (`selectors`).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings

from apps.core.clock import parse_time
from apps.core.errors import NotFoundError, UnavailableError
from apps.sessions import reading
from codetether_sessions.redaction import Redactor
from codetether_sessions.shape import Entry, Identity, Json, Keep
from codetether_sessions.storable import storable
from codetether_sessions.stores import SPOILT, Store, find_stores

log = logging.getLogger(__name__)

REASONS = {
    "": "Sessions on this machine can be read.",
    "disabled": "Reading sessions on this machine is switched off (A2A_RUNTIME_SESSIONS).",
    "no_store": "No agent program has kept a session on this machine for the user who runs the server.",
    "unreadable": "There are sessions on this machine, but they cannot be read now.",
}
"""Why there are none, in words."""
IDENTITIES_KEPT, HEADS_KEPT = 10_000, 1000
RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions; empty fields mean any."""

    source: str = ""
    project_id: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A session as its store lists it."""

    store: Store
    entry: Entry

    def identity(self) -> tuple[str, str]:
        """(id, folder); nothing where the session has gone or is spoilt."""
        try:
            known = _identity(self.store, self.entry)
        except SPOILT as error:
            _warn(self.store, error)
            return "", ""
        return known.id, known.directory

    @property
    def project_id(self) -> str:
        """The program's own id of the project; of one that has none, the folder."""
        return self.entry.project or self.identity()[1]


@lru_cache(maxsize=IDENTITIES_KEPT)
def _identity(store: Store, entry: Entry) -> Identity:
    """Some programs' files have to be opened to tell it; an entry whose session has changed is another one."""
    return store.reader.identify(store.path, entry)


@dataclass(slots=True)
class Machine:
    """What there is at this moment: the sessions, last changed first, and how it is with each store."""

    found: list[Found]
    stores: list[dict[str, Any]]
    reason: str

    def availability(self) -> dict[str, Any]:
        return {"available": not self.reason, "reason": self.reason or None, "message": REASONS[self.reason]}


def machine_look() -> Machine:
    """List all stores. One that cannot be read says why and leaves the others alone."""
    if not settings.A2A_RUNTIME_SESSIONS:
        return Machine([], [], "disabled")
    try:
        stores = find_stores(settings.A2A_SECRET_ENVIRONMENT, settings.A2A_OPENCODE_STORAGE_PATH)
    except (OSError, RuntimeError) as error:  # a home folder that is not ours, or none at all
        log.warning("sessions on this machine cannot be looked for: %s", error)
        return Machine([], [], "unreadable")
    found: dict[tuple[str, str], Found] = {}
    states = []
    for store in stores:
        listed, state = _listed(store)
        states.append(state)
        for entry in listed:  # a session that two stores of a program hold counts where it was found first
            found.setdefault((store.source, entry.key), Found(store, entry))
    newest = sorted(found.values(), key=lambda one: one.entry.moved, reverse=True)
    return Machine(newest, states, _reason(states))


def _listed(store: Store) -> tuple[list[Entry], dict[str, Any]]:
    state = {"source": store.source, "path": str(store.path), "sessions": 0, "error": None}
    try:
        entries = store.reader.list_entries(store.path)
    except SPOILT as error:
        _warn(store, error)
        return [], {**state, "error": f"{type(error).__name__}: {error}"}
    return entries, {**state, "sessions": len(entries)}


def _reason(states: list[dict[str, Any]]) -> str:
    if any(state["error"] is None for state in states):
        return ""
    return "unreadable" if states else "no_store"


def machine_projects(machine: Machine) -> list[dict[str, Any]]:
    """The projects of the sessions, last changed first: folders, under the ids that their programs give them."""
    projects: dict[tuple[str, str], dict[str, Any]] = {}
    for one in machine.found:
        project_id = one.project_id
        folder = one.entry.worktree or one.entry.directory or project_id
        started = {
            "id": project_id, "source": one.store.source, "worktree": folder, "name": Path(folder).name,
            "sessions": 0, "updated_at": parse_time(one.entry.moved),
        }  # fmt: skip
        projects.setdefault((one.store.source, project_id), started)["sessions"] += 1
    return list(projects.values())


def machine_sessions(machine: Machine, wanted: Wanted, *, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """(that part of the wanted sessions, how many there are in all)."""
    found = [one for one in machine.found if _is_wanted(one, wanted)]
    heads = (_head_of(one) for one in found[offset : offset + limit])
    return [head for head in heads if head is not None], len(found)


def _is_wanted(one: Found, wanted: Wanted) -> bool:
    return (
        wanted.source in ("", one.store.source)
        and (not wanted.project_id or wanted.project_id == one.project_id)
        and (not wanted.directory or wanted.directory == one.identity()[1])
    )


def machine_session(session_id: str) -> dict[str, Any]:
    """The session, or NotFoundError."""
    head = _head_of(_find(session_id))
    if head is None:
        _gone()
    return head


def machine_messages(session_id: str, *, offset: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """(that part of the session's messages in order, how many there are in all); NotFoundError."""
    window = _Window(offset, offset + limit)
    _read(_find(session_id), window.keep)
    return [_message_facts(message) for message in window.kept.values()], len(window.places)


def machine_parts(
    session_id: str, *, message_id: str = "", offset: int, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """The same of the parts of its messages (or of one message), each with its `message_id` and `role`."""
    heap = _Parts(offset + limit, message_id)
    _read(_find(session_id), heap.keep)
    return [
        {**part, "message_id": message["id"], "role": message["role"]}
        for message, part in heap.within(offset)
        for part in _message_facts({**message, "parts": [part]})["parts"]
    ], sum(heap.counts.values())


class _Window:
    """Keeps the messages of a part of the list, and of the others only their ids: a session may be larger than
    memory. A message whose id came before replaces it."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self.places: dict[str, int] = {}
        self.kept: dict[str, Json] = {}

    def keep(self, message: Json) -> None:
        place = self.places.setdefault(message["id"], len(self.places))
        if self._start <= place < self._end:
            self.kept[message["id"]] = message


class _Parts:
    """Keeps the messages whose parts begin before `end`, and counts the parts of all."""

    def __init__(self, end: int, message_id: str) -> None:
        self._end, self._only = end, message_id
        self._so_far = 0
        self._kept: dict[str, Json] = {}
        self.counts: dict[str, int] = {}

    def keep(self, message: Json) -> None:
        key = message["id"]
        if self._only not in ("", key):
            return
        if key in self._kept or (key not in self.counts and self._so_far < self._end):
            self._kept[key] = message
        self._so_far += len(message["parts"]) - self.counts.get(key, 0)
        self.counts[key] = len(message["parts"])

    def within(self, start: int) -> Iterator[tuple[Json, Json]]:
        """(message, part) from the part `start` on, up to the end."""
        parts = [(message, part) for message in self._kept.values() for part in message["parts"]]
        yield from parts[start : self._end]


def _find(session_id: str) -> Found:
    """The session by its id, which often is in the name of its file: those are looked at first."""
    found = machine_look().found
    for one in sorted(found, key=lambda one: session_id not in one.entry.key):
        if one.identity()[0] == session_id:
            return one
    _gone()


def _gone() -> NoReturn:
    raise NotFoundError("There is no such session on this machine.", code="session_not_found")


def _read(one: Found, keep: Keep) -> None:
    try:
        facts = one.store.reader.read_session(one.store.path, one.entry.key, keep)
    except SPOILT as error:
        _warn(one.store, error)
        raise UnavailableError(
            "The session cannot be read now.", code="session_unreadable", retry_after=RETRY_SECONDS
        ) from error
    if facts is None:
        _gone()


def _head_of(one: Found) -> dict[str, Any] | None:
    """The session without its messages; None when it has gone or is spoilt."""
    try:
        mark = one.store.reader.mark_of(one.store.path, one.entry.key)
        head = _head(one.store, one.entry.key, mark)
    except SPOILT as error:
        _warn(one.store, error)
        return None
    return head and {**head, "directory": head["directory"] or one.entry.directory or "", "project_id": one.project_id}


@lru_cache(maxsize=HEADS_KEPT)
def _head(store: Store, key: str, mark: str) -> dict[str, Any] | None:
    """Some programs' files have to be read wholly to tell it, so it is remembered until the session's mark changes."""
    head = store.reader.read_head(store.path, key)
    if head is None:
        return None
    (told,) = reading.sessions([_clean(head.facts.to_json(message_count=head.message_count))])
    return {
        "id": told.session_id, "title": told.title, "parent_id": told.parent_id or None, "source": store.source,
        "agent": told.agent, "model": told.model or None, "directory": told.directory,
        "message_count": told.message_count, "messageCount": told.message_count, "usage": told.usage,
        "created_at": told.created_at, "updated_at": told.updated_at,
        "created": told.created_at, "updated": told.updated_at,
    }  # fmt: skip


def _message_facts(raw: Json) -> dict[str, Any]:
    (told,) = reading.messages([_clean(raw)])
    return {
        "id": told.message_id, "role": told.role, "model": told.model or None, "content": told.text,
        "usage": told.usage, "info": told.data, "created_at": told.created_at,
        "parts": [{"id": part.part_id, "type": part.kind, **part.data} for part in told.parts],
    }  # fmt: skip


def _clean(value: Json) -> Any:
    return storable(_redactor().value(value))


@cache
def _redactor() -> Redactor:
    return Redactor(settings.A2A_SECRET_ENVIRONMENT)


def _warn(store: Store, error: Exception) -> None:
    log.warning("sessions cannot be read path=%s: %r", store.path, error)
