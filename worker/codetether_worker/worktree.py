"""Which files an attempt changed, also those changed by shell commands, with unified diffs.

In a git repository the state of the folder is written as a git tree before and after: with an index and an
object store of our own, so that nothing of the user's repository changes, and .gitignore holds. Commits that
the agent makes in between do not hide anything, since trees are compared and not commits.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from codetether_worker import events
from codetether_worker.events import Action, Event
from codetether_worker.trees.changes import Changes, changes_between
from codetether_worker.trees.git import Git

_SNAPSHOT_LIMIT = 30.0  # seconds; a folder too large for that is not compared
_DIFF_BYTES = 256 * 1024
_MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class _Repository:
    """A git work tree; `environment` makes git use our own index and object store."""

    top: Path
    environment: dict[str, str]
    index_source: Path


class WorkingTree:
    """Remembers how a folder was and reports each change once, as the difference to the last report.

    Without git only the files that an agent names are reported, with the difference it gives.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root.resolve()
        self._scratch = scratch
        self._repository: _Repository | None = None
        self._before: str | None = None
        self._known: dict[Path, bytes | None] = {}

    async def remember(self) -> bool:
        """Take the state to compare with; False when only named files can be reported."""
        self._repository = await _find_repository(self._root, self._scratch)
        if self._repository is None:
            return False
        await asyncio.to_thread(_seed_index, self._repository)
        self._before = await _write_tree(self._repository)
        return self._before is not None

    async def changed(self, path: Path, *, given_diff: str | None, existed: bool | None) -> Event | None:
        """The change of one file since its last report; None when there is none.

        `given_diff` and `existed` are what the agent says, for when the earlier content is not known.
        """
        path = self._absolute(path)
        known = path in self._known or self._before is not None
        old = await self._last_content(path)
        new = await asyncio.to_thread(_read, path)
        self._known[path] = new
        if known and old == new:
            return None
        if not known:
            action: Action = "created" if existed is False else "modified"
            action = "deleted" if new is None else action
            return events.file_change(action=action, path=self._name(path), diff=given_diff)
        return await asyncio.to_thread(self._event, path, old, new)

    async def remaining(self) -> list[Event]:
        """Changes that no one has reported yet, by comparing trees; the first 500."""
        if self._repository is None or self._before is None:
            return []
        after = await _write_tree(self._repository)
        if after is None or after == self._before:
            return []
        listing = await _git(
            self._repository, "diff-tree", "-r", "-z", "--no-renames", "--name-only", self._before, after
        )
        names = [name for name in (listing or b"").split(b"\0") if name]
        found = []
        for name in names[:_MOST_FILES]:
            path = self._repository.top / os.fsdecode(name)
            event = await self.changed(path, given_diff=None, existed=None)
            if event is not None:
                found.append(event)
        if len(names) > _MOST_FILES:
            found.append(events.status(f"{len(names) - _MOST_FILES} more files changed"))
        return found

    async def total(self) -> Changes | None:
        """All that has changed since the first state, whoever has reported it; None where nothing has."""
        if self._repository is None or self._before is None:
            return None
        after = await _write_tree(self._repository)
        if after is None or after == self._before:
            return None
        return await changes_between(Git(self._repository.top, self._repository.environment), self._before, after)

    async def _last_content(self, path: Path) -> bytes | None:
        if path in self._known or self._repository is None or self._before is None:
            return self._known.get(path)
        if not path.is_relative_to(self._repository.top):
            return None
        name = path.relative_to(self._repository.top).as_posix()
        return await _git(self._repository, "cat-file", "blob", f"{self._before}:{name}")

    def _event(self, path: Path, old: bytes | None, new: bytes | None) -> Event:
        name = self._name(path)
        if new is None:
            return events.file_change(action="deleted", path=name, diff=_unified(name, old, None))
        action: Action = "created" if old is None else "modified"
        return events.file_change(action=action, path=name, diff=_unified(name, old, new))

    def _absolute(self, path: Path) -> Path:
        return Path(os.path.normpath(self._root / path))

    def _name(self, path: Path) -> str:
        shown = os.path.relpath(path, self._root) if self._is_near(path) else str(path)
        return shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def _is_near(self, path: Path) -> bool:
        top = self._repository.top if self._repository else self._root
        return path.is_relative_to(top)


def _read(path: Path) -> bytes | None:
    """A plain file's content, a link's target, None when there is neither."""
    try:
        if path.is_symlink():
            return os.fsencode(path.readlink())
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _unified(name: str, old: bytes | None, new: bytes | None) -> str | None:
    """A unified diff as git writes it; None for binary or very large content."""
    sides = (old or b"", new or b"")
    if any(b"\0" in side or len(side) > _DIFF_BYTES for side in sides):
        return None
    before, after = (side.decode("utf-8", "replace").splitlines(keepends=True) for side in sides)
    names = ("/dev/null" if old is None else f"a/{name}", "/dev/null" if new is None else f"b/{name}")
    lines = difflib.unified_diff(before, after, *names)
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended) or None


async def _find_repository(root: Path, scratch: Path) -> _Repository | None:
    bare = _Repository(root, {}, root)
    facts = await _git(
        bare, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-path", "objects",
        "--git-path", "index",
    )  # fmt: skip
    lines = os.fsdecode(facts or b"").split("\n")
    if len(lines) < 3:
        return None
    top, objects, index = lines[:3]
    own_objects = scratch / "objects"
    own_objects.mkdir(parents=True, exist_ok=True)
    environment = {
        "GIT_INDEX_FILE": str(scratch / "index"),
        "GIT_OBJECT_DIRECTORY": str(own_objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
    }
    return _Repository(Path(top), environment, Path(index))


def _seed_index(repository: _Repository) -> None:
    """Start from the user's index: its cached file times spare git reading every file."""
    if repository.index_source.is_file():
        shutil.copyfile(repository.index_source, repository.environment["GIT_INDEX_FILE"])


async def _write_tree(repository: _Repository) -> str | None:
    if await _git(repository, "add", "--all", "--ignore-errors", ".") is None:
        return None
    written = await _git(repository, "write-tree")
    return written.decode().strip() if written else None


async def _git(repository: _Repository, *arguments: str) -> bytes | None:
    """Run git in the repository without its hooks; None when it fails, is missing or takes too long."""
    done = await Git(repository.top, repository.environment)(*arguments, seconds=_SNAPSHOT_LIMIT)
    return done.out if done else None
