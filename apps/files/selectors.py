"""Reading files; every query is bound to a workspace."""

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from apps.core.ids import parse_id
from apps.files.errors import StoredFileNotFoundError
from apps.files.models import StoredFile
from apps.files.storage import contents

CLIENT, WORKER = StoredFile.Origin.CLIENT, StoredFile.Origin.WORKER


def files_of(workspace_id: uuid.UUID) -> QuerySet[StoredFile]:
    """All files of a workspace, oldest first."""
    return StoredFile.objects.filter(workspace_id=workspace_id)


def files_of_tasks(workspace_id: uuid.UUID, *task_ids: uuid.UUID, origin: str = "") -> QuerySet[StoredFile]:
    """The files of some tasks; of `origin` only, where that is given."""
    found = files_of(workspace_id).filter(task_id__in=task_ids)
    return found.filter(origin=origin) if origin else found


def files_named(workspace_id: uuid.UUID, file_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StoredFile]:
    """Those of the files that the workspace has, by id."""
    return files_of(workspace_id).in_bulk(list(file_ids)) if file_ids else {}


def file_get(*, workspace_id: uuid.UUID, file_id: object) -> StoredFile:
    """The file, or StoredFileNotFoundError for anything that is no file of this workspace."""
    parsed = parse_id(file_id)
    found = files_of(workspace_id).filter(id=parsed).first() if parsed else None
    if found is None:
        raise StoredFileNotFoundError("There is no such file.")
    return found


def file_piece(file: StoredFile, start: int, length: int) -> bytes:
    """`length` bytes of the content from `start` on; both must lie within the file."""
    if length == 0:
        return b""
    try:
        return contents().piece(file.storage_key, start, length)
    except FileNotFoundError as error:
        raise StoredFileNotFoundError("The file's content is gone.") from error


def small_contents(files: Collection[StoredFile]) -> dict[uuid.UUID, bytes]:
    """The contents of files of a chunk at most, by id; what is gone is left out."""
    full = [file for file in files if file.size]
    found = contents().small([file.storage_key for file in full]) if full else {}
    read = {file.id: found[file.storage_key] for file in full if file.storage_key in found}
    return read | {file.id: b"" for file in files if not file.size}


def file_facts(file: StoredFile) -> dict[str, Any]:
    """A file as every face shows it."""
    return {
        **file_brief(file),
        "task_id": file.task_id and str(file.task_id),
        "origin": file.origin,
        "created_by": file.created_by,
        "created_at": file.created_at,
        "url": f"/v1/files/{file.id}",
    }


def file_brief(file: StoredFile) -> dict[str, Any]:
    """What a worker must know to fetch a file and to check what it got; plain JSON values."""
    return {
        "id": str(file.id),
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
    }
