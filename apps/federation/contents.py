"""Files on their way to and from remote agents: in our log a part names a stored file, over A2A it is the content."""

import base64
import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from apps.core.errors import CodeTetherError
from apps.files.errors import StoredFileNotFoundError
from apps.files.selectors import WORKER, file_get, file_piece
from apps.files.services import NewFile, file_store, files_attach

Json = dict[str, Any]

OUTGOING_BYTES = 5_000_000
"""Of all files of one message together: in base64 they must fit into what servers take."""


def with_contents(workspace_id: uuid.UUID, parts: Sequence[Json]) -> list[Json]:
    """The parts of a message to send; a file that is gone, or one too many, is told of in words."""
    left, made = OUTGOING_BYTES, []
    for part in parts:
        if "file_id" not in part:
            made.append(part)
            continue
        found = _content(workspace_id, part, left)
        left -= len(found.get("raw", "")) * 3 // 4
        made.append(found)
    return made


def _content(workspace_id: uuid.UUID, part: Json, left: int) -> Json:
    kept = {name: part[name] for name in ("mediaType", "filename", "metadata") if part.get(name)}
    name = part.get("filename") or "file"
    try:
        file = file_get(workspace_id=workspace_id, file_id=part["file_id"])
        if file.size > left:
            return {"text": f"(The file {name} of {file.size} bytes is too large to come along.)"}
        content = file_piece(file, 0, file.size)
    except StoredFileNotFoundError:
        return {"text": f"(The file {name} is gone.)"}
    return {"raw": base64.b64encode(content).decode(), "mediaType": file.media_type, "filename": file.name, **kept}


def keep_contents(workspace_id: uuid.UUID, task_id: uuid.UUID, data: Mapping[str, Any], *, by: str) -> Json:
    """An artifact event's data, with the contents in its parts stored as the task's files.

    What cannot be kept (its size, a storage that is away) is told of in words.
    """
    parts = [_kept(workspace_id, task_id, part, by) if "content" in part else part for part in data["parts"]]
    return {**data, "parts": parts}


def _kept(workspace_id: uuid.UUID, task_id: uuid.UUID, part: Json, by: str) -> Json:
    named = {name: part[name] for name in ("media_type", "filename") if part.get(name)}
    new = NewFile(
        name=part.get("filename") or "file",
        media_type=part.get("media_type", ""),
        content=io.BytesIO(part["content"]),
        origin=WORKER,
        by=by,
    )
    try:
        file = file_store(workspace_id=workspace_id, new=new)
    except CodeTetherError as error:
        return {"text": f"(The file {new.name} could not be kept: {error.detail})"}
    with transaction.atomic():
        files_attach(workspace_id=workspace_id, file_ids=[file.id], task_id=task_id)
    return {"file_id": str(file.id), **named}
