"""The part of the fake control plane that keeps files."""

from __future__ import annotations

import hashlib
import uuid
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from tests.fakes.control_plane_http import Refusal
from tests.fakes.remembered_task import FakeTask


class KeepsFiles(ABC):
    """`files` holds contents by id."""

    requests: list[tuple[str, str]]

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @abstractmethod
    def change(self) -> AbstractContextManager[None]: ...

    @abstractmethod
    def _refuse_if_told(self, path: str) -> None: ...

    @abstractmethod
    def _task_of(self, task_id: str, token: str) -> FakeTask: ...

    def add_file(self, name: str, content: bytes, media_type: str = "text/plain") -> dict[str, Any]:
        """A file that a client has sent, as claims and messages name it."""
        file_id = str(uuid.uuid4())
        with self.change():
            self.files[file_id] = content
        sha256 = hashlib.sha256(content).hexdigest()
        return {"id": file_id, "name": name, "media_type": media_type, "size": len(content), "sha256": sha256}

    def give_file(self, file_id: str) -> bytes:
        with self.change():
            self._refuse_if_told(f"/v1/worker/files/{file_id}")
            if file_id not in self.files:
                raise Refusal(404, "file_not_found")
            return self.files[file_id]

    def take_file(self, path: str, token: str, name: str, media_type: str, content: bytes) -> dict[str, Any]:
        with self.change():
            self.requests.append(("POST", path))
            self._refuse_if_told(path)
            task = self._task_of(path.split("/")[-2], token)
            known = [one for one in task.files if (one["name"], self.files[one["id"]]) == (name, content)]
            if not known:
                known = [{"id": str(uuid.uuid4()), "name": name, "media_type": media_type}]
                self.files[known[0]["id"]] = content
                task.files += known
            return {"success": True, "file": known[0]}
