"""What has changed between two trees or commits: the files with lines added and removed, and a diff of bounded size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codetether_sessions.redaction import looks_secret
from codetether_worker import events
from codetether_worker.events import Event
from codetether_worker.trees.git import Git

ARTIFACT_ID = "changes"
DIFF_BYTES = 180_000
MOST_FILES = 500
_MOST_EXCLUDED = 200
_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=none")


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file, and how many lines were added and removed; None for what is not text."""

    path: str
    insertions: int | None
    deletions: int | None

    def facts(self) -> dict[str, Any]:
        """As it is told; the content of what looks like a secret stays on this machine."""
        said: dict[str, Any] = {"path": shown(self.path), "insertions": self.insertions, "deletions": self.deletions}
        return {**said, "withheld": True} if looks_secret(self.path) else said


def shown(path: str) -> str:
    """A path as text that can be sent, whatever bytes the disk has for it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Changes:
    """All files that changed; `diff` is unified, and `cut` says that there was more of it."""

    files: Sequence[ChangedFile] = ()
    diff: str = ""
    cut: bool = False

    @property
    def insertions(self) -> int:
        return sum(file.insertions or 0 for file in self.files)

    @property
    def deletions(self) -> int:
        return sum(file.deletions or 0 for file in self.files)

    def artifact(self, **more: Any) -> Event:
        """As something that the task has made: the diff, and the list of files as data, with `more` about both."""
        text = self.diff
        if self.cut:
            text += f"\n[cut: the diff is longer than {DIFF_BYTES} bytes; {len(self.files)} files changed in all]\n"
        facts = {
            "files": [file.facts() for file in self.files[:MOST_FILES]], "files_total": len(self.files),
            "insertions": self.insertions, "deletions": self.deletions, "cut": self.cut, **more,
        }  # fmt: skip
        parts: list[dict[str, Any]] = [{"data": facts, "media_type": "application/json"}]
        if text:
            parts.insert(0, {"text": text, "media_type": "text/x-diff", "filename": "changes.diff"})
        return events.artifact(artifact_id=ARTIFACT_ID, name="Changes", parts=parts)


async def changed_files(git: Git, before: str, after: str) -> list[ChangedFile] | None:
    """The files that differ; None where git cannot say."""
    listed = await git("diff", *_PLAIN, "--numstat", "-z", before, after)
    return [_file(entry) for entry in listed.out.split(b"\0") if entry] if listed else None


def _file(entry: bytes) -> ChangedFile:
    """`added TAB removed TAB path`, with `-` for what is not text."""
    added, removed, path = entry.split(b"\t", 2)
    numbers = [int(number) if number.isdigit() else None for number in (added, removed)]
    return ChangedFile(os.fsdecode(path), *numbers)


async def changes_between(git: Git, before: str, after: str) -> Changes | None:
    """What differs, with the diff; None where git cannot say."""
    files = await changed_files(git, before, after)
    if files is None:
        return None
    secrets = [file.path for file in files if looks_secret(file.path)]
    if len(secrets) > _MOST_EXCLUDED or len(secrets) == len(files):
        return Changes(files)
    plain = Git(git.folder, {**git.environment, "GIT_LITERAL_PATHSPECS": "0"})
    excluded = [f":(exclude,top,literal){path}" for path in secrets]
    diff, cut = await plain.beginning(
        "diff", *_PLAIN, "--src-prefix=a/", "--dst-prefix=b/", before, after, "--", ":(top)", *excluded, most=DIFF_BYTES
    )
    whole = diff[: diff.rfind(b"\n") + 1] if cut else diff
    return Changes(files, whole.decode("utf-8", "replace"), cut)
