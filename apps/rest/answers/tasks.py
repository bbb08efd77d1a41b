"""Answers about tasks, their log, and the agent of a codebase."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Paged
from apps.tasks.shapes import LogEvent, Task, WorkingTree


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
