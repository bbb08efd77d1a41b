"""Answers about files."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from apps.rest.answers.shared import Paged


class File(BaseModel):
    """`size` in bytes; `url` is where its content is."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    task_id: str | None
    origin: Literal["client", "worker"]
    created_by: str
    created_at: datetime
    url: str


class FilePage(Paged):
    files: list[File]
