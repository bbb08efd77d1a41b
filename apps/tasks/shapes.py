"""The shapes of tasks, their log and their queue as clients see them: what the selectors' facts hold, and every face's
schema."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

Facts = dict[str, Any]


class WorkingTree(BaseModel):
    """A git worktree in which tasks have worked, on the machine of `worker_id`.

    `base` and `head` are commits; `files`, `insertions` and `deletions` count what changed between them; `left` are
    changed files that are not committed, as `dirty` says.
    """

    id: str
    codebase_id: str | None
    task_ids: list[str]
    worker_id: str
    branch: str
    base: str
    base_branch: str | None
    head: str
    state: Literal["active", "kept", "merged", "discarded", "empty", "lost"]
    dirty: bool
    left: list[str]
    files: int
    insertions: int
    deletions: int
    merged_into: str | None
    created_at: datetime
    updated_at: datetime


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


class TaskLine(BaseModel):
    """A task in a list: without its long texts."""

    id: str
    codebase_id: str
    title: str
    agent_type: str
    model: str | None
    status: str
    priority: int
    target_agent: str | None
    attempt: int
    max_attempts: int
    worker_id: str | None
    session_id: str | None
    context_id: str | None
    error: str | None
    error_code: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    last_seq: int


class Run(BaseModel):
    """An attempt at a task. `status`: the task's while it goes on; else its final state, `requeued`, `lost` (with its
    worker) or `left` (its worker left a question behind). `seconds` is how long it took."""

    run_id: str
    task_id: str
    title: str
    codebase_id: str
    attempt: int
    max_attempts: int
    status: str
    worker_id: str
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    error: str | None


class LogEvent(BaseModel):
    seq: int
    kind: str
    data: Facts
    created_at: datetime


class Limit(BaseModel):
    """What is set for a part of the queue. `most` null: no limit, so it is paused; `reason` says why it is."""

    kind: str
    key: str
    most: int | None
    held: int
    paused: bool
    paused_at: datetime | None
    reason: str | None
    changed_by: str
    changed_at: datetime


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
