"""Which files of an attempt may leave this machine: plain, inside their folder, small enough, and no secrets."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from codetether_sessions.redaction import looks_secret
from codetether_worker.config import process_environment

MOST_LEFT = 100
MOST_CHANGED = 20
CHANGED_BYTES = 256 * 1024
_GIT_LIMIT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Made:
    """A file to hand over under `name`, a path relative to `root`."""

    name: str
    path: Path
    root: Path

    def open(self) -> BinaryIO:
        """The content. OSError where it is no plain file any more, or leads out of its folder."""
        if not self.path.parent.resolve().is_relative_to(self.root.resolve()):
            raise OSError(0, "leads out of its folder")
        handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        opened = os.fdopen(handle, "rb")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            opened.close()
            raise OSError(0, "is no plain file")
        return opened


@dataclass(frozen=True, slots=True)
class Picked:
    """What to hand over, and what not, with the reasons."""

    files: tuple[Made, ...] = ()
    skipped: tuple[str, ...] = ()

    def and_also(self, other: Picked) -> Picked:
        """Both; a name that is taken already counts once, for the former."""
        taken = {made.name for made in self.files}
        files = tuple(made for made in other.files if made.name not in taken)
        return Picked(self.files + files, self.skipped + other.skipped)


def left_files(folder: Path) -> Picked:
    """All files that the agent put into the folder for it; reads the disk."""
    found = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return _picked([Made(_shown(path.relative_to(folder)), path, folder) for path in found], most=MOST_LEFT)


def _shown(path: Path) -> str:
    """The path as text that can be sent, whatever bytes the disk has for it."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def changed_files(root: Path, paths: Sequence[Path]) -> Picked:
    """Those of the changed files that may go: inside the codebase, not ignored by git, small, the first twenty."""
    inside = await asyncio.to_thread(_inside, root, paths)
    ignored = await _ignored(root, [made.name for made in inside])
    kept = [made for made in inside if made.name not in ignored]
    return await asyncio.to_thread(_picked, kept, most=MOST_CHANGED, largest=CHANGED_BYTES)


def _inside(root: Path, paths: Sequence[Path]) -> list[Made]:
    root = root.resolve()
    absolute = [Path(os.path.normpath(path)) for path in paths]
    named = [Made(path.relative_to(root).as_posix(), path, root) for path in absolute if path.is_relative_to(root)]
    return [made for made in named if ".git" not in made.name.split("/") and made.path.exists()]


def _picked(found: Sequence[Made], *, most: int, largest: int | None = None) -> Picked:
    files: list[Made] = []
    skipped: list[str] = []
    for made in found:
        why = _objection(made, largest)
        if not why and len(files) >= most:
            why = f"there are more than {most}"
        if why:
            skipped.append(f"{made.name}: {why}")
        else:
            files.append(made)
    return Picked(tuple(files), tuple(skipped))


def _objection(made: Made, largest: int | None) -> str:
    """Why the file stays here; empty when it may go."""
    if looks_secret(made.name):
        return "looks like a secret"
    try:
        with made.open() as content:
            size = os.fstat(content.fileno()).st_size
    except OSError as error:
        return "is a link" if made.path.is_symlink() else str(error.strerror)
    return f"is larger than {largest} bytes" if largest is not None and size > largest else ""


async def _ignored(root: Path, names: Sequence[str]) -> set[str]:
    """Those that git ignores there; none where there is no git or no repository, all where git does not answer."""
    if not names:
        return set()
    try:
        process = await asyncio.create_subprocess_exec(
            "git", "-c", "core.fsmonitor=false", "check-ignore", "-z", "--stdin",
            cwd=root, env=process_environment(without="GIT_"), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return set()
    asked = b"\0".join(os.fsencode(name) for name in names)
    try:
        told, _ = await asyncio.wait_for(process.communicate(asked), _GIT_LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        return set(names)
    return {os.fsdecode(name) for name in told.split(b"\0") if name}
