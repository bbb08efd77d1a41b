"""What changes files: they are stored, attached to a task, and removed."""

import hashlib
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models.functions import Now

from apps.core.errors import TooLargeError
from apps.core.ids import new_id
from apps.files.models import StoredFile
from apps.files.naming import safe_media_type, safe_name
from apps.files.selectors import files_of
from apps.files.storage import CHUNK_BYTES, contents, key_of, length_of

UNATTACHED_FOR = timedelta(days=1)
"""How long a file may wait to be attached: longer than any upload takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to store; `content` is a stream that can be read twice. Name and media type may be anything."""

    name: str
    content: IO[bytes]
    origin: str
    by: str
    media_type: str = ""


def file_store(*, workspace_id: uuid.UUID, new: NewFile) -> StoredFile:
    """Keep a file that belongs to no task yet (`files_attach`).

    Raises TooLargeError over A2A_MAX_FILE_BYTES, FileStorageError where the object storage is away; nothing is kept
    then. A process that dies in between leaves a row that `files_unattached` finds.
    """
    size = length_of(new.content)
    check_size(size)
    name = safe_name(new.name)
    file_id = new_id()
    values = {
        "name": name,
        "media_type": safe_media_type(new.media_type, name),
        "size": size,
        "sha256": digest_of(new.content),
        "origin": new.origin,
        "created_by": new.by[:200],
        "storage_key": key_of(workspace_id, file_id),
    }
    file = StoredFile.objects.create(id=file_id, workspace_id=workspace_id, **values)
    kept = False
    try:
        with transaction.atomic():
            contents().save(file.storage_key, File(new.content, name))
        kept = True
    finally:
        if not kept:
            file.delete()
    return file


def check_size(size: int) -> None:
    """TooLargeError for a file of more bytes than A2A_MAX_FILE_BYTES."""
    if size > settings.MAX_FILE_BYTES:
        raise TooLargeError(f"A file may have at most {settings.MAX_FILE_BYTES} bytes.")


def digest_of(content: IO[bytes]) -> str:
    """The SHA-256 of a stream, which stands at its beginning before and after."""
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
    content.seek(0)
    return digest.hexdigest()


def files_attach(*, workspace_id: uuid.UUID, file_ids: Collection[uuid.UUID], task_id: uuid.UUID) -> None:
    """From now on the files are the task's; call it in the transaction that accepts what they came with."""
    files_of(workspace_id).filter(id__in=file_ids, task_id=None).update(task_id=task_id)


def files_remove(files: Iterable[StoredFile]) -> int:
    """Remove files for good; returns how many. Call it outside of transactions.

    Contents go first: where that fails the row is still there, and the next call tries again.
    """
    storage = contents()
    removed = 0
    for file in files:
        storage.delete(file.storage_key)
        removed += StoredFile.objects.filter(id=file.id).delete()[1].get("files.StoredFile", 0)
    return removed


def files_unattached(limit: int) -> list[StoredFile]:
    """Files of any workspace that were stored a day ago and belong to nothing, oldest first."""
    waiting = StoredFile.objects.filter(task_id=None, created_at__lt=Now() - UNATTACHED_FOR)
    return list(waiting.order_by("created_at")[:limit])
