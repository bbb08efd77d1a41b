"""What the heart knows of the files that come with tasks, and that reports name."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from apps.core.ids import parse_id
from apps.files.selectors import CLIENT, file_brief, files_of_tasks
from apps.tasks.errors import UnknownEventError
from apps.tasks.events import Event
from apps.tasks.models import Task

SAID = "a2a"
"""Where a task's metadata, and a message's data, keep what A2A must remember of the message beyond its text."""
ATTACHED = "attachments"
"""Set in a task's metadata when it begins with files, so that a claim need not look for them."""


def files_for_holder(task: Task) -> list[dict[str, Any]]:
    """What clients have sent with the task, as its worker fetches it; no query for a first attempt without any.

    A follow-up brings those of the task that it follows: what was said there with a file may be its own message.
    """
    if not task.metadata.get(ATTACHED) and task.attempt <= 1:
        return []
    ids = [task.id, parse_id(task.metadata.get("follows"))]
    found = files_of_tasks(task.workspace_id, *filter(None, ids), origin=CLIENT)
    return [file_brief(file) for file in found]


def files_in_message(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The files that came with a message, by the data of its event."""
    files = (data.get("data") or {}).get("files")
    return [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []


def reported_files_check(workspace_id: uuid.UUID, task_id: uuid.UUID, reported: Iterable[Event]) -> None:
    """A report may name files of its own task only, or UnknownEventError; no query where it names none."""
    named = {part["file_id"] for event in reported if event.kind == "artifact" for part in _file_parts(event)}
    if not named:
        return
    parsed = {file_id for file_id in map(parse_id, named) if file_id is not None}
    if files_of_tasks(workspace_id, task_id).filter(id__in=parsed).count() < len(named):
        raise UnknownEventError("data.parts: a file_id names no file of this task; send the file first.")


def _file_parts(event: Event) -> list[dict[str, Any]]:
    return [part for part in event.data["parts"] if "file_id" in part]
