"""What the REST face answers, for the OpenAPI schema. Views build plain objects; the tests hold them to these."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

Facts = dict[str, Any]


class Problem(BaseModel):
    """Every refusal. `errors` names the wrong fields."""

    detail: str
    code: str
    errors: dict[str, list[str]] | None = None


class Done(BaseModel):
    success: bool
    message: str


class Paged(BaseModel):
    total: int
    limit: int
    offset: int


class Codebase(BaseModel):
    id: str
    name: str
    path: str
    description: str
    worker_id: str | None
    status: str
    agent_config: Facts
    created_at: datetime
    updated_at: datetime


class CodebaseAnswer(Codebase):
    """One codebase; `codebase` repeats it for clients that look there."""

    codebase: Codebase


class CodebaseMade(Done):
    codebase: Codebase
    task_id: str | None = None


class CodebasePage(Paged):
    codebases: list[Codebase]


class StoredCodebasePage(CodebasePage):
    source: str


class Task(BaseModel):
    id: str
    codebase_id: str
    title: str
    prompt: str
    agent_type: str
    model: str | None
    status: str
    priority: int
    requires: list[str]
    target_agent: str | None
    attempt: int
    max_attempts: int
    worker_id: str | None
    session_id: str | None
    context_id: str | None
    result: str | None
    error: str | None
    error_code: str | None
    usage: Facts
    metadata: Facts
    created_by: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime | None
    last_seq: int


class TaskDetail(Task):
    """`why_pending` says in words why no worker has it yet."""

    why_pending: str | None


class TaskChanged(BaseModel):
    success: bool
    task: Task
    message: str = ""


class TaskPage(Paged):
    tasks: list[Task]


class Started(Done):
    task_id: str
    session_id: str | None
    status: str


class Stopped(Done):
    cancelled: list[str]


class Interrupted(Done):
    task_id: str


class Activity(BaseModel):
    """What the agent of a codebase does now."""

    codebase_id: str
    status: str
    session_id: str | None
    current_task: Task | None
    started_at: datetime | None
    model: str | None
    pending_tasks: int


class LogEvent(BaseModel):
    seq: int
    kind: str
    data: Facts
    created_at: datetime


class LogPage(BaseModel):
    """`next_after_seq` is the `after_seq` that continues; the log ends there when it is `last_seq`."""

    task_id: str
    status: str
    events: list[LogEvent]
    next_after_seq: int
    last_seq: int


class OutputChunk(BaseModel):
    seq: int
    type: str
    content: str
    created_at: datetime


class OutputPage(BaseModel):
    task_id: str
    status: str
    output: list[OutputChunk]
    next_after_seq: int
    last_seq: int


class OutputTaken(BaseModel):
    success: bool
    last_seq: int


class StuckPage(Paged):
    stuck_tasks: list[Task]


class Recovered(Done):
    recovered: int
    requeued: int
    failed: int
    unheld: int
    expired: int


class ReaperHealth(BaseModel):
    status: str
    healthy: bool
    stuck_tasks: int
    oldest_expired_seconds: float
    lease_seconds: float
    message: str


class Worker(BaseModel):
    worker_id: str
    name: str
    status: str


class WorkerPage(Paged):
    workers: list[Facts]


class StoredWorkerPage(WorkerPage):
    source: str


class Model(BaseModel):
    id: str
    name: str
    provider: str
    workers_available: int


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


class QueueStatus(BaseModel):
    counts: dict[str, int]
    total: int
    pending: int
    running: int
    oldest_pending_seconds: float | None
    workers_connected: int


class Token(BaseModel):
    id: str
    name: str
    role: str
    scopes: list[str]
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
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
