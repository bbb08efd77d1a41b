"""Answers about sessions."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Facts, Paged


class Session(BaseModel):
    id: str
    codebase_id: str
    title: str
    parent_id: str | None
    forked_from: str | None
    forks: list[str]
    source: str
    agent: str
    model: str | None
    directory: str
    worker_id: str | None
    message_count: int
    usage: Facts
    created_at: datetime
    updated_at: datetime


class FoundSession(Session):
    """A session with what was found in it; what its list without `q` shows has none of these.

    `snippet` is HTML: what was said, escaped, with `<mark>` around the words. `message_id` names the message that it
    is of (none: the title), `matches` counts those that match.
    """

    rank: float | None = None
    matches: int | None = None
    message_id: str | None = None
    snippet: str | None = None


class SessionPage(Paged):
    sessions: list[FoundSession]


class StoredSessionPage(SessionPage):
    source: str


class SessionMessage(BaseModel):
    id: str
    role: str
    model: str | None
    content: str
    usage: Facts
    info: Facts
    parts: list[Facts]
    created_at: datetime


class MessagePage(Paged):
    messages: list[SessionMessage]


class PartPage(Paged):
    parts: list[Facts]


class MachineStore(BaseModel):
    """One program's sessions at one place; `error` says why they cannot be read."""

    source: str
    path: str
    sessions: int
    error: str | None


class MachineAvailability(BaseModel):
    """`reason` is none, or why there are no sessions: `disabled`, `no_store`, `unreadable`."""

    available: bool
    reason: str | None
    message: str


class MachineStatus(MachineAvailability):
    storage_path: str | None
    projects: int
    sessions: int
    stores: list[MachineStore]


class MachineProject(BaseModel):
    id: str
    source: str
    worktree: str
    name: str
    sessions: int
    updated_at: datetime | None


class MachineProjectPage(MachineAvailability, Paged):
    projects: list[MachineProject]


class MachineSession(BaseModel):
    id: str
    project_id: str
    title: str
    parent_id: str | None
    source: str
    agent: str
    model: str | None
    directory: str
    message_count: int
    usage: Facts
    created_at: datetime
    updated_at: datetime


class MachineSessionPage(MachineAvailability, Paged):
    sessions: list[MachineSession]


class Synced(Done):
    synced: int
