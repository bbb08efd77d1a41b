"""Answers about tasks, their log, and the agent of a codebase."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.queue import Limit
from apps.rest.answers.shared import Done, Facts, Paged
from apps.rest.answers.trees import WorkingTree


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
    concurrency_key: str | None
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
    """`why_pending` says in words why no worker has it yet, `why_pending_code` the same for programs.

    `working_tree` is the git worktree of its own in which it works or has worked.
    """

    why_pending: str | None
    why_pending_code: str | None
    working_tree: WorkingTree | None


class TaskChanged(BaseModel):
    success: bool
    task: Task
    message: str = ""


class TreeAsked(Done):
    """`task` merges or discards the tree; null where that was done before."""

    task: Task | None
    working_tree: WorkingTree


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
    """What the agent of a codebase does now. `queue`: the limit or pause of its queue, where one is set."""

    codebase_id: str
    status: str
    session_id: str | None
    current_task: Task | None
    started_at: datetime | None
    model: str | None
    pending_tasks: int
    queue: Limit | None


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
