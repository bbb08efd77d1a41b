"""Answers about sessions."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Facts, Paged


class Session(BaseModel):
    id: str
    codebase_id: str
    title: str
    parent_id: str | None
    source: str
    agent: str
    model: str | None
    directory: str
    worker_id: str | None
    message_count: int
    usage: Facts
    created_at: datetime
    updated_at: datetime


class SessionPage(Paged):
    sessions: list[Session]


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


class Synced(Done):
    synced: int
