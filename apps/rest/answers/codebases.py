"""Answers about codebases."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Facts, Paged


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


class CodebaseMade(Done):
    codebase: Codebase
    task_id: str | None = None


class CodebasePage(Paged):
    codebases: list[Codebase]


class StoredCodebasePage(CodebasePage):
    source: str
