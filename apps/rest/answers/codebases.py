"""Answers about codebases."""

from apps.codebases.shapes import Codebase
from apps.rest.answers.shared import Done, Paged


class CodebaseMade(Done):
    codebase: Codebase
    task_id: str | None = None


class CodebasePage(Paged):
    codebases: list[Codebase]


class StoredCodebasePage(CodebasePage):
    source: str
