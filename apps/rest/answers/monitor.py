"""Answers of the monitor."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Facts, Paged


class WatchedTask(BaseModel):
    task_id: str
    title: str
    status: str


class WatchedAgent(BaseModel):
    """An agent of a connected worker; `id` is its instance, `status` is `working` or `idle`."""

    id: str
    name: str
    role: str
    worker_id: str
    status: str
    tasks: list[WatchedTask]
    last_seen: datetime


class WatchedAgents(BaseModel):
    agents: list[WatchedAgent]
    total: int


class SaidMessage(BaseModel):
    """A message of a session; `conversation_id` is the session's id, `agent_id` that of the worker that has it."""

    id: str
    conversation_id: str
    agent_id: str | None
    agent_name: str
    codebase_id: str
    title: str
    role: str
    content: str
    model: str | None
    usage: Facts
    created_at: datetime


class SaidPage(BaseModel):
    messages: list[SaidMessage]
    limit: int
    offset: int


class SoughtMessage(SaidMessage):
    rank: float
    snippet: str


class SoughtPage(Paged):
    messages: list[SoughtMessage]


class Count(BaseModel):
    count: int


class Stats(BaseModel):
    tasks: dict[str, int]
    total_tasks: int
    workers_connected: int
    codebases: int
    sessions: int
    messages: int


class Intervened(Done):
    task_id: str
    task_ids: list[str]
