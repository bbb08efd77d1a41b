"""What is written down beside each worktree: whose it is, which tasks and sessions have worked in it, how it stands.

A record outlives its tree, so that a conversation that goes on after a merge gets a new tree in the folder of the old
one: agent programs find a session only in the folder in which it began.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

log = logging.getLogger(__name__)

TreeState = Literal["making", "active", "kept", "merged", "discarded", "empty"]
_GONE_KEPT = 500
"""Records of trees that are gone, beyond which the oldest are forgotten."""
_TOLD = (
    "id", "codebase_id", "branch", "base", "base_branch", "head", "state", "dirty", "left", "files", "insertions",
    "deletions", "merged_into",
)  # fmt: skip


@dataclass(slots=True)
class TreeRecord:
    """One worktree. Paths are absolute; `prefix` is where in the tree the codebase is; times are epoch seconds.

    `owner` is the instance mark of the state folder whose worker made it; `held_by` the task that works in it now.
    `left` names what the worker did not commit, `told` whether the server has heard how the tree stands.
    """

    id: str
    owner: str
    codebase_id: str
    folder: str
    common_dir: str
    branch: str
    base: str
    made_at: float
    base_branch: str = ""
    git_dir: str = ""
    prefix: str = ""
    head: str = ""
    state: TreeState = "making"
    held_by: str = ""
    dirty: bool = False
    left: list[str] = field(default_factory=list)
    files: int = 0
    insertions: int = 0
    deletions: int = 0
    merged_into: str = ""
    task_ids: list[str] = field(default_factory=list)
    session_ids: list[str] = field(default_factory=list)
    told: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there should be a folder with the tree."""
        return self.state in ("making", "active", "kept") or self.dirty

    @property
    def has_folder(self) -> bool:
        return Path(self.folder).is_dir()

    @property
    def has_repository(self) -> bool:
        return Path(self.common_dir).is_dir()

    @property
    def has_git_dir(self) -> bool:
        return bool(self.git_dir) and Path(self.git_dir).is_dir()

    @property
    def is_open(self) -> bool:
        """Whether work may go on in it."""
        return self.state in ("active", "kept")

    def as_told(self) -> dict[str, Any]:
        """As the server hears of it."""
        return {**{name: getattr(self, name) for name in _TOLD}, "task_ids": self.task_ids[-100:]}


class TreeStore:
    """The records in a folder, one file each, in memory too; only the holder of the state folder's lock writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, TreeRecord] = {record.id: record for record in read_records(folder)}

    def __iter__(self) -> Iterator[TreeRecord]:
        return iter(sorted(self._records.values(), key=lambda record: record.made_at))

    def find(self, tree_id: str) -> TreeRecord | None:
        return self._records.get(tree_id)

    def of_task(self, task_id: str) -> TreeRecord | None:
        return _best(record for record in self if task_id in record.task_ids)

    def of_session(self, session_id: str | None) -> TreeRecord | None:
        return _best(record for record in self if session_id and session_id in record.session_ids)

    def save(self, record: TreeRecord, *, told: bool = False) -> None:
        """Write it down; OSError where the disk does not take it."""
        record.told = told
        self._records[record.id] = record
        path = self.folder / f"{record.id}.json"
        partial = path.with_suffix(".new")
        partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
        partial.replace(path)

    def note_told(self, record: TreeRecord) -> None:
        """The server knows; where the disk does not take that, it is told again after the next start."""
        try:
            self.save(record, told=True)
        except OSError as error:
            log.warning("what the server knows of a tree cannot be noted id=%s: %s", record.id, error)

    def drop(self, record: TreeRecord) -> None:
        """Forget one of which nothing is left."""
        self._records.pop(record.id, None)
        (self.folder / f"{record.id}.json").unlink(missing_ok=True)

    def forget_old(self) -> None:
        """Forget the oldest of those whose trees are gone."""
        gone = [record for record in self if not record.is_there and record.told]
        for record in gone[: max(0, len(gone) - _GONE_KEPT)]:
            self.drop(record)


def _best(found: Iterable[TreeRecord]) -> TreeRecord | None:
    """The newest, but rather one in which work can go on."""
    return max(found, key=lambda record: (record.is_open, record.made_at), default=None)


def read_records(folder: Path) -> list[TreeRecord]:
    """All that can be read; a damaged one is left alone, with its tree."""
    found = []
    names = {entry.name for entry in fields(TreeRecord)}
    for path in sorted(folder.glob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            found.append(TreeRecord(**{name: value for name, value in said.items() if name in names}))
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("%s is damaged and left alone: %s", path, error)
    return found
