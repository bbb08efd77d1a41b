"""Answers about the server, its workers and its tokens."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Facts, Paged
from apps.workers.shapes import Model


class ReaperHealth(BaseModel):
    status: str
    healthy: bool
    last_sweep_at: datetime | None
    last_sweep_seconds_ago: float | None
    last_sweep_took_seconds: float | None
    last_sweep_moved: dict[str, int] | None
    stuck_tasks: int
    oldest_expired_seconds: float
    lease_seconds: float
    message: str


class Worker(BaseModel):
    """`programs` are the agent programs on its machine: `name`, `version` (empty where unknown), `models`."""

    worker_id: str
    name: str
    kind: str
    status: str
    programs: list[Facts]


class WorkerPage(Paged):
    workers: list[Facts]


class StoredWorkerPage(WorkerPage):
    source: str


class Models(BaseModel):
    models: list[Model]
    total: int


class Provider(BaseModel):
    id: str
    name: str
    models: list[Model]


class Providers(BaseModel):
    providers: list[Provider]
    total: int


class Agents(BaseModel):
    agents: list[Facts]
    total: int


class ServerStatus(BaseModel):
    available: bool
    message: str
    opencode_binary: str | None
    registered_codebases: int
    auto_start: bool
    runtime: Facts


class DatabaseStatus(BaseModel):
    available: bool
    source: str
    message: str
    total: Facts


class Token(BaseModel):
    id: str
    name: str
    role: str
    scopes: list[str]
    codebases: list[str]
    hint: str
    status: str
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    rotated_at: datetime | None
    previous_until: datetime | None
    revoked_at: datetime | None


class TokenPage(Paged):
    api_keys: list[Token]


class TokenMade(Done):
    """`token` is the secret: shown here, once."""

    api_key: Token
    token: str | None


class Me(BaseModel):
    name: str
    role: str
    scopes: list[str]
    user_id: str | None
    workspace: Facts
