"""What a task has made and changed: the artifacts and files that its log tells of, and the question that is open."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.tasks.models import Task, TaskEvent

MADE_LIMIT = 500
"""Events of each kind that are looked at, the latest."""


@dataclass(slots=True)
class ChangedFile:
    """A file as the last event that names it leaves it; the numbers are lines, None where nobody counted."""

    path: str
    action: str
    seq: int
    insertions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """`artifacts` by their names, each with the seq of the event that last added to it."""

    artifacts: Mapping[str, int] = field(default_factory=dict)
    files: list[ChangedFile] = field(default_factory=list)


def made_by(task_id: uuid.UUID) -> Made:
    """What the log of a task tells of; reads that task's events only."""
    artifacts: dict[str, int] = {}
    files: dict[str, ChangedFile] = {}
    for seq, data in _latest(task_id, "file_change"):
        files[data["path"]] = ChangedFile(data["path"], data["action"], seq)
    for seq, data in _latest(task_id, "artifact"):
        artifacts[data.get("name") or data["artifact_id"]] = seq
        for listed in _listed(data):
            known = files.get(listed["path"])
            action = known.action if known else "changed"
            files[listed["path"]] = ChangedFile(
                listed["path"], action, known.seq if known else seq, listed.get("insertions"), listed.get("deletions")
            )
    return Made(artifacts, sorted(files.values(), key=lambda one: one.path))


def open_question(task: Task) -> TaskEvent | None:
    """The event with which a task asks; None where it does not."""
    if not task.is_asking:
        return None
    return TaskEvent.objects.filter(task_id=task.pk, kind="asked").order_by("-seq").first()


def open_questions(tasks: Collection[Task]) -> dict[uuid.UUID, TaskEvent]:
    """The open question of each task that asks: one look at the end of each log, so for few tasks."""
    found = ((task.pk, open_question(task)) for task in tasks)
    return {task_id: asked for task_id, asked in found if asked is not None}


def _latest(task_id: uuid.UUID, kind: str) -> list[tuple[int, dict[str, Any]]]:
    rows = TaskEvent.objects.filter(task_id=task_id, kind=kind).order_by("-seq")
    return list(reversed(rows.values_list("seq", "data")[:MADE_LIMIT]))


def _listed(artifact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files that an artifact of changes names."""
    tables = [part["data"] for part in artifact["parts"] if isinstance(part.get("data"), dict)]
    files = [file for table in tables for file in table.get("files") or () if isinstance(table.get("files"), list)]
    return [file for file in files if isinstance(file, dict) and isinstance(file.get("path"), str)][:MADE_LIMIT]
