"""Answers about working trees of tasks."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from apps.rest.answers.shared import Paged


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


class TreePage(Paged):
    working_trees: list[WorkingTree]
