"""Files in messages and artifacts: stored as they come in, and given back by content or by address.

In tasks and logs such a part is `{"file_id": …}` with its names. A client gets small files as `raw` (base64), larger
ones, and those whose time is over, as `url`: the address from which who may read the task fetches them.
"""

import base64
import io
import mimetypes
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apps.a2a.incoming import Incoming
from apps.accounts.principals import Principal
from apps.core.ids import parse_id
from apps.files.selectors import CLIENT, file_brief, files_named, small_contents
from apps.files.services import NewFile, file_store, files_attach, files_remove
from apps.tasks.selectors import SAID

if TYPE_CHECKING:
    from apps.files.models import StoredFile
    from apps.tasks.models import Task

Json = dict[str, Any]

INLINE_LIMIT, INLINE_FILES = 4_000_000, 50
"""Bytes of file contents in one answer, and files; what goes beyond is given by address. With the rest of the answer
it must fit into the 4 MiB that gRPC's clients take."""
HOLDERS = frozenset(
    {"task", "tasks", "message", "status", "statusUpdate", "artifactUpdate", "artifact", "artifacts", "history"}
)
"""Fields of views and stream events under which parts may be."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message whose files are stored: its parts name them; they belong to no task yet."""

    incoming: Incoming
    files: "list[StoredFile]"

    def attach(self, task: "Task") -> bool:
        """Make the files the task's, in the transaction that has accepted the message.

        False where the message had been sent before: then the task was made of its first coming, files and all.
        """
        said = task.metadata.get(SAID) or {}
        if not self.incoming.task_id and said.get("parts") != self.incoming.parts:
            return False
        files_attach(workspace_id=task.workspace_id, file_ids=[file.id for file in self.files], task_id=task.id)
        return True

    def discard(self) -> None:
        """Nothing came of the message."""
        files_remove(self.files)


def keep_files(principal: Principal, incoming: Incoming) -> Kept:
    """Store the contents that came with a message; where one cannot be stored, none stays."""
    files: list[StoredFile] = []
    whole = False
    try:
        parts = [_kept(principal, part, files) if "raw" in part else part for part in incoming.parts]
        whole = True
    finally:
        if not whole:
            files_remove(files)
    return Kept(replace(incoming, parts=parts, files=[file_brief(file) for file in files]), files)


def _kept(principal: Principal, part: Json, files: "list[StoredFile]") -> Json:
    new = NewFile(
        name=part.get("filename") or f"file{mimetypes.guess_extension(part.get('mediaType', '')) or ''}",
        media_type=part.get("mediaType", ""),
        content=io.BytesIO(part["raw"]),
        origin=CLIENT,
        by=principal.name,
    )
    file = file_store(workspace_id=principal.workspace_id, new=new)
    files.append(file)
    return {"file_id": str(file.id), **{name: value for name, value in part.items() if name != "raw"}}


def with_files(view: Json, *, workspace_id: uuid.UUID, base_url: str) -> Json:
    """The view or stream event with every part that names a file given by content or address.

    Free where there is none; else one query for the files, and one for the contents. To be called on a database
    thread (`holds_files` tells whether it is needed at all).
    """
    named = {part["file_id"] for part in _file_parts(view)}
    if not named:
        return view
    ids = {file_id for file_id in map(parse_id, named) if file_id is not None}
    files = files_named(workspace_id, ids)
    resolved: Json = _resolved(view, Given(files, _inline(files.values()), base_url))
    return resolved


def holds_files(view: Json) -> bool:
    """Whether `with_files` has anything to do."""
    return bool(_file_parts(view))


def _file_parts(view: Json) -> list[Json]:
    """Each part that names a file. Every answer passes here, so it is a plain loop."""
    found, waiting = [], [view]
    while waiting:
        for name, value in waiting.pop().items():
            if name == "parts":
                found += [part for part in value if "file_id" in part]
            elif name in HOLDERS:
                if isinstance(value, dict):
                    waiting.append(value)
                elif isinstance(value, list):
                    waiting += value
    return found


def _inline(files: "Collection[StoredFile]") -> Mapping[uuid.UUID, bytes]:
    """The contents that an answer holds itself: small ones, the first that fit."""
    chosen: list[StoredFile] = []
    total = 0
    for file in sorted(files, key=lambda file: file.id):
        fits = file.size <= settings.INLINE_FILE_BYTES and total + file.size <= INLINE_LIMIT
        if fits and len(chosen) < INLINE_FILES:
            chosen.append(file)
            total += file.size
    return small_contents(chosen)


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the files that a view names."""

    files: "Mapping[uuid.UUID, StoredFile]"
    contents: Mapping[uuid.UUID, bytes]
    base_url: str

    def part(self, part: Json) -> Json:
        """A part as its client gets it (A2A 1.0 §4.1.6)."""
        file_id = parse_id(part["file_id"])
        file = self.files.get(file_id) if file_id else None
        content = self.contents.get(file.id) if file else None
        said: Json = {name: value for name, value in part.items() if name not in ("file_id", "size")}
        if file is not None:
            said.setdefault("mediaType", file.media_type)
        if content is None:
            return {"url": f"{self.base_url}/v1/files/{part['file_id']}", **said}
        return {"raw": base64.b64encode(content).decode(), **said}


def _resolved(node: Any, given: Given) -> Any:
    """The node with its file parts given; what is unchanged is shared, since logs are shared by their readers."""
    if isinstance(node, list):
        return [_resolved(entry, given) for entry in node]
    if not isinstance(node, dict):
        return node
    made = {name: _resolved(node[name], given) for name in HOLDERS if name in node}
    if node.get("parts"):
        made["parts"] = [given.part(part) if "file_id" in part else part for part in node["parts"]]
    return {**node, **made} if made else node
