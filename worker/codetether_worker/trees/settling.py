"""What an attempt leaves in its tree: committed on its branch so that nothing is lost, and measured.

What looks like a secret, repositories within the tree and unresolved conflicts are left uncommitted and named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codetether_sessions.redaction import looks_secret
from codetether_worker.trees.changes import Changes, changed_files, changes_between, shown
from codetether_worker.trees.git import CHECKOUT_SECONDS, Git
from codetether_worker.trees.record import TreeRecord

_UNMERGED = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})
_MOST_LEFT = 100
_SUBJECT = 72


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of git's status: two letters, and a path (with a slash at its end for a repository within)."""

    letters: str
    path: str

    @property
    def stays_out(self) -> bool:
        return _stays_out(self.path)


def _stays_out(path: str) -> bool:
    return looks_secret(path) or path.endswith("/")


def stuck(record: TreeRecord) -> tuple[str, ...]:
    """What should have been committed and could not be: conflicts, and files that git cannot read."""
    return tuple(path for path in record.left if not _stays_out(path))


def git_of(record: TreeRecord) -> Git:
    return Git.of_tree(Path(record.folder), Path(record.git_dir))


async def settle(record: TreeRecord, *, commits: bool, subject: str = "", task_id: str = "") -> bool:
    """Bring the record up to date with its tree, after committing what is not committed, where asked to.

    False where the tree cannot be looked at: it then counts as dirty, so that nobody removes it.
    """
    if not record.has_git_dir or not record.has_folder:
        return await _without_folder(record)
    _unlock(record)
    git = git_of(record)
    found = await _status(git)
    if found and commits and not any(entry.letters in _UNMERGED for entry in found):
        await _commit(git, found, message_of(subject, task_id))
        found = await _status(git)
    head = await git("rev-parse", "--verify", "HEAD^{commit}")
    record.dirty = found is None or bool(found) or not head
    record.left = [shown(entry.path) for entry in (found or ())[:_MOST_LEFT]]
    if not head:
        return False
    record.head = head.line
    await _follow(git, record)
    return await measure(git, record)


def _unlock(record: TreeRecord) -> None:
    """Take away the lock of a git that was killed: nobody works here now."""
    Path(record.git_dir, "index.lock").unlink(missing_ok=True)


async def _without_folder(record: TreeRecord) -> bool:
    """Somebody has removed the folder: what is on the branch is all that there is."""
    git = Git.of_repository(Path(record.common_dir)) if record.has_repository else None
    head = git and await git("rev-parse", "--verify", "--quiet", f"refs/heads/{record.branch}^{{commit}}")
    record.dirty, record.left = False, []
    if not head or git is None:
        record.head = record.base
        return True
    record.head = head.line
    return await measure(git, record)


async def _status(git: Git) -> list[_Entry] | None:
    """What git sees as changed and not ignored, file by file; None where it cannot say."""
    told = await git(
        "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none",
        seconds=CHECKOUT_SECONDS,
    )  # fmt: skip
    return [_Entry(line[:2], line[3:]) for line in told.names] if told else None


async def _commit(git: Git, found: Sequence[_Entry], message: str) -> None:
    """Commit what may be committed. What git cannot take stays uncommitted, and is seen by the next status."""
    staged_secrets = [entry.path for entry in found if entry.stays_out and entry.letters[0] not in " ?"]
    if staged_secrets:
        await git("restore", "--staged", "--pathspec-from-file=-", "--pathspec-file-nul", said=_listed(staged_secrets))
    wanted = [entry.path for entry in found if not entry.stays_out]
    if wanted:
        await git(
            "add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul",
            said=_listed(wanted), seconds=CHECKOUT_SECONDS,
        )  # fmt: skip
    if not await git("diff", "--cached", "--quiet", "--no-ext-diff"):
        await git("commit", "--quiet", "--no-verify", "--cleanup=whitespace", "--file=-", said=message.encode())


def _listed(paths: Sequence[str]) -> bytes:
    return b"\0".join(os.fsencode(path) for path in paths)


def message_of(subject: str, task_id: str, **trailers: str) -> str:
    """A commit message that says for which task it is (git-interpret-trailers)."""
    line = " ".join(subject.split()) or "Work of a task"
    cut = line if len(line) <= _SUBJECT else line[: _SUBJECT - 1].rstrip() + "…"
    said = {"Codetether-Task": task_id, **trailers}
    lines = [f"{name.replace('_', '-')}: {' '.join(value.split())}" for name, value in said.items() if value]
    return f"{cut}\n\n" + "\n".join(lines) + "\n"


async def _follow(git: Git, record: TreeRecord) -> None:
    """An agent may have left another branch checked out: where ours has nothing that it has not, ours goes along."""
    ours = f"refs/heads/{record.branch}"
    tip = await git("rev-parse", "--verify", "--quiet", ours)
    if tip.line == record.head:
        return
    if not tip or await git("merge-base", "--is-ancestor", tip.line, record.head):
        await git("update-ref", "-m", "codetether: what the task left", ours, record.head, tip.line)


async def measure(git: Git, record: TreeRecord) -> bool:
    """Count what the tree's commits have changed."""
    files = await changed_files(git, record.base, record.head)
    if files is None:
        return False
    counted = Changes(files)
    record.files, record.insertions, record.deletions = len(files), counted.insertions, counted.deletions
    return True


async def committed(record: TreeRecord) -> Changes | None:
    """What the tree's commits have changed, with the diff."""
    return await changes_between(Git.of_repository(Path(record.common_dir)), record.base, record.head)
