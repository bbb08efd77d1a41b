"""Where contents are kept: an interface of two, and the one that keeps them in PostgreSQL.

Beside what Django asks of a storage, ours give single pieces by place and length: whoever serves a file holds neither
a connection nor a thread while its reader is slow.
"""

import io
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Protocol

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db.models import BigIntegerField, F, Func, Sum

from apps.files.models import FileChunk

ALIAS = "files"
CHUNK_BYTES = 1_048_576


class Contents(Protocol):
    """A storage of ours. Keys are `<workspace id>/<file id>`; a content is written once and never changed."""

    save: Callable[[str, Any], str]

    def delete(self, name: str) -> None:
        """Remove a content; one that is not there is no error."""

    def piece(self, name: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on (both within the file); FileNotFoundError where it is gone."""

    def small(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """The whole contents of several files, each of one chunk at most; those that are gone are left out."""


def contents() -> Contents:
    """The storage of this installation (setting A2A_FILE_STORAGE)."""
    storage: Any = storages[ALIAS]
    return storage  # type: ignore[no-any-return]


def key_of(workspace_id: uuid.UUID, file_id: uuid.UUID) -> str:
    return f"{workspace_id}/{file_id}"


class DatabaseStorage(Storage):
    """Contents as rows of at most CHUNK_BYTES. The file's own row must be there before."""

    def _save(self, name: str, content: "File[Any]") -> str:
        file_id = _file_id(name)
        for number, chunk in enumerate(content.chunks(CHUNK_BYTES)):
            FileChunk.objects.create(file_id=file_id, number=number, content=chunk)
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        if mode != "rb":
            raise ValueError("A content is written once, by save().")
        if not self.exists(name):
            raise FileNotFoundError(name)
        return File(io.BufferedReader(_Reader(self, name), CHUNK_BYTES), name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Names are fresh ids: none is taken."""
        return name

    def delete(self, name: str) -> None:
        FileChunk.objects.filter(file_id=_file_id(name)).delete()

    def exists(self, name: str) -> bool:
        return FileChunk.objects.filter(file_id=_file_id(name)).exists()

    def size(self, name: str) -> int:
        length = Func(F("content"), function="octet_length", output_field=BigIntegerField())
        return FileChunk.objects.filter(file_id=_file_id(name)).aggregate(size=Sum(length))["size"] or 0

    def piece(self, name: str, start: int, length: int) -> bytes:
        first, last = start // CHUNK_BYTES, (start + length - 1) // CHUNK_BYTES
        rows = FileChunk.objects.filter(file_id=_file_id(name), number__range=(first, last)).order_by("number")
        chunks = [bytes(chunk) for chunk in rows.values_list("content", flat=True)]
        if not chunks:
            raise FileNotFoundError(name)
        offset = start - first * CHUNK_BYTES
        return b"".join(chunks)[offset : offset + length]

    def small(self, names: Sequence[str]) -> Mapping[str, bytes]:
        ids = {_file_id(name): name for name in names}
        rows = FileChunk.objects.filter(file_id__in=ids, number=0).values_list("file_id", "content")
        return {ids[file_id]: bytes(content) for file_id, content in rows}


class _Reader(io.RawIOBase):
    """A content as a stream, read chunk by chunk."""

    def __init__(self, storage: DatabaseStorage, name: str) -> None:
        self._storage = storage
        self._name = name
        self._size = storage.size(name)
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        data = self._storage.piece(self._name, self._place, wanted)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def _file_id(name: str) -> uuid.UUID:
    return uuid.UUID(name.rpartition("/")[2])


def length_of(content: IO[bytes]) -> int:
    """How many bytes a stream holds; it stands at its beginning afterwards."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    return size
