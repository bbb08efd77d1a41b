"""Merging a tree's branch into another: all of it in a worktree of its own, and the target moves only at the end.

So a conflict leaves the repository as it was. A checkout that has the target branch is brought forward by git itself,
which refuses where it would have to touch a file with uncommitted changes.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from codetether_worker.errors import AgentError
from codetether_worker.trees.git import CHECKOUT_SECONDS, Done, Git
from codetether_worker.trees.record import TreeRecord
from codetether_worker.trees.settling import message_of

SQUASH = "squash"
_TRIES = 3
_MOST_NAMED = 50


class MergeRefused(AgentError):
    """The merge cannot be, and nothing has changed; `files` are those in the way."""

    def __init__(self, message: str, *, code: str, files: tuple[str, ...] = (), retry: bool = False) -> None:
        more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
        named = f"{message}: {', '.join(files[:_MOST_NAMED])}{more}" if files else message
        super().__init__(named, code=code, retry=retry)
        self.files = files


class _TargetMoved(Exception):
    """Somebody else has moved the target meanwhile."""


@dataclass(frozen=True, slots=True)
class MergeWish:
    """What to merge where. `strategy` is merge (a commit with two parents, always) or squash (one with one)."""

    into: str
    strategy: str
    subject: str
    task_id: str
    by: str

    @property
    def message(self) -> str:
        return message_of(self.subject, self.task_id, Codetether_Merged_By=self.by)


@dataclass(frozen=True, slots=True)
class Merged:
    """Where the work is now. `commit` is empty where the target had all of it before."""

    into: str
    commit: str


async def merge(record: TreeRecord, wish: MergeWish, *, scratch: Path, ours: Path) -> Merged:
    """Merge what the tree's branch has; MergeRefused says why not. `ours` holds all trees: no target lies there."""
    git = Git.of_repository(Path(record.common_dir))
    into = wish.into or record.base_branch
    wish = replace(wish, into=into)
    if not into:
        raise MergeRefused("the tree was made from no branch: say into which to merge", code="target_missing")
    if not await git("check-ref-format", "--branch", into):
        raise MergeRefused(f"{into} is no name for a branch", code="target_missing")
    for _ in range(_TRIES):
        target = await git("rev-parse", "--verify", "--quiet", f"refs/heads/{into}^{{commit}}")
        if not target:
            raise MergeRefused(f"there is no branch {into}", code="target_missing")
        if await git("merge-base", "--is-ancestor", record.head, target.line):
            return Merged(into, "")
        commit = await _joined(git, record, wish, target.line, scratch)
        if not commit:
            return Merged(into, "")
        try:
            await _advance(git, into, target.line, commit, ours)
        except _TargetMoved:
            continue
        return Merged(into, commit)
    raise MergeRefused(f"{into} keeps moving while it is merged into", code="target_busy", retry=True)


async def _joined(git: Git, record: TreeRecord, wish: MergeWish, target: str, scratch: Path) -> str:
    """The commit that joins both, made on no branch; empty where there is nothing to add."""
    await _clear(git, scratch)  # of a worker that was killed
    made = await git("worktree", "add", "--quiet", "--detach", str(scratch), target, seconds=CHECKOUT_SECONDS)
    try:
        if not made:
            raise MergeRefused(f"no place to merge can be made: {made.why}", code="merge_failed", retry=True)
        return await _merge_there(Git(scratch), record.head, wish)
    finally:
        await _clear(git, scratch)


async def _clear(git: Git, scratch: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    await git("worktree", "remove", "--force", "--force", str(scratch))


async def _merge_there(there: Git, head: str, wish: MergeWish) -> str:
    how = ("--squash",) if wish.strategy == SQUASH else ("--no-ff", "--no-commit")
    done = await there("merge", *how, "--quiet", "--no-verify-signatures", head, seconds=CHECKOUT_SECONDS)
    if not done:
        await _explain(there, done, wish)
    if wish.strategy == SQUASH and await there("diff", "--cached", "--quiet", "--no-ext-diff"):
        return ""
    message = wish.message.encode()
    said = await there("commit", "--quiet", "--no-verify", "--cleanup=whitespace", "--file=-", said=message)
    if not said:
        raise MergeRefused(f"the merge cannot be committed: {said.why}", code="merge_failed")
    return (await there("rev-parse", "HEAD")).line


async def _explain(there: Git, done: Done, wish: MergeWish) -> None:
    conflicting = await there("diff", "--name-only", "--diff-filter=U", "-z", "--no-ext-diff")
    if conflicting.names:
        why = f"the work and {wish.into} have changed the same lines; nothing was merged. Conflicts in"
        raise MergeRefused(why, code="merge_conflict", files=tuple(dict.fromkeys(conflicting.names)))
    raise MergeRefused(f"git cannot merge: {done.why}", code="merge_failed")


async def _advance(git: Git, into: str, target: str, commit: str, ours: Path) -> None:
    """Move the branch from `target` to `commit`, with the checkout that has it, if one has."""
    checkout = await _checkout_of(git, into)
    if checkout is None:
        moved = await git("update-ref", "-m", "codetether: merge", f"refs/heads/{into}", commit, target)
        if not moved:
            raise _TargetMoved
        return
    if checkout.is_relative_to(ours):
        raise MergeRefused(f"{into} is the branch of another task's working tree", code="target_busy")
    done = await Git(checkout)("merge", "--ff-only", "--quiet", commit, seconds=CHECKOUT_SECONDS)
    if not done:
        await _refuse_checkout(git, done, into, target, checkout)


async def _refuse_checkout(git: Git, done: Done, into: str, target: str, checkout: Path) -> None:
    now = await git("rev-parse", "--verify", "--quiet", f"refs/heads/{into}^{{commit}}")
    if now.line != target:
        raise _TargetMoved
    if "index.lock" in done.error:
        raise MergeRefused(f"another git is at work in {checkout}", code="target_busy", retry=True)
    files = tuple(line.strip() for line in done.error.splitlines() if line.startswith("\t"))
    if files:
        why = f"{checkout} has uncommitted changes in files that the merge changes; nothing was merged"
        raise MergeRefused(why, code="target_dirty", files=files)
    raise MergeRefused(f"{checkout} cannot be brought to the merge: {done.why}", code="target_dirty")


async def _checkout_of(git: Git, branch: str) -> Path | None:
    """The work tree that has the branch checked out."""
    listed = await git("worktree", "list", "--porcelain")
    folder = ""
    for line in listed.line.split("\n"):
        if line.startswith("worktree "):
            folder = line.removeprefix("worktree ")
        elif line == f"branch refs/heads/{branch}":
            return Path(folder)
    return None
