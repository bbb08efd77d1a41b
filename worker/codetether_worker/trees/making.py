"""Making a worktree and taking it away again. Nothing but our own folder, branch and entry is ever touched."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from codetether_worker.errors import AgentError
from codetether_worker.trees.git import CHECKOUT_SECONDS, Git
from codetether_worker.trees.record import TreeRecord

BRANCH_PREFIX = "codetether/"
_MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of a codebase as it is now. `branch` is empty where HEAD is detached."""

    common_dir: Path
    top: Path
    prefix: str
    head: str
    branch: str


async def look_at(root: Path) -> Repository:
    """What a tree for the codebase in `root` is to be made from. AgentError says why there can be none."""
    git = Git(root)
    bare = await git("rev-parse", "--is-bare-repository")
    if not bare:
        if bare.code is None:
            raise AgentError(bare.error, code="git_missing")
        if "dubious ownership" in bare.error:
            raise AgentError(f"git does not trust {root}: {bare.why}", code="repository_not_trusted")
        raise AgentError(f"{root} is no git repository, so no task can have a working tree of its own",
                         code="not_a_repository")  # fmt: skip
    if bare.line == "true":
        raise AgentError(f"{root} is a bare git repository: there is nothing to work in", code="bare_repository")
    facts = await git("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel", "--show-prefix")
    lines = [*facts.line.split("\n"), "", ""]
    if not facts:
        raise AgentError(f"{root} is inside of a git directory: {facts.why}", code="not_a_repository")
    head = await git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head:
        raise AgentError(f"the git repository {lines[1]} has no commit yet to begin from", code="no_commit")
    branch = await git("symbolic-ref", "--quiet", "HEAD")
    return Repository(
        Path(lines[0]), Path(lines[1]), lines[2].rstrip("/"), head.line, branch.line.removeprefix("refs/heads/")
    )


async def free_branch(repository: Repository, tree_id: str) -> str:
    """A name for the tree's branch that is not taken."""
    git = Git.of_repository(repository.common_dir)
    for number in range(1, _MOST_NAMES):
        name = f"{BRANCH_PREFIX}{tree_id}" + (f"-{number}" if number > 1 else "")
        if not await git("show-ref", "--verify", "--quiet", f"refs/heads/{name}"):
            return name
    raise AgentError(f"every branch name for the tree {tree_id} is taken", code="worktree_failed")


async def make(record: TreeRecord) -> None:
    """Check the tree out and note its git directory. AgentError where that fails; nothing is left then."""
    git = Git.of_repository(Path(record.common_dir))
    made = await git(
        "worktree", "add", "--quiet", "--no-track", "-b", record.branch, record.folder, record.base,
        seconds=CHECKOUT_SECONDS,
    )  # fmt: skip
    found = await Git(Path(record.folder))("rev-parse", "--absolute-git-dir") if made else made
    if not found:
        await remove(record)
        raise AgentError(f"no working tree can be made: {found.why}", code="worktree_failed")
    record.git_dir = found.line
    if not (Path(record.folder) / record.prefix).is_dir():
        await remove(record)
        why = f"the folder {record.prefix} of the codebase is in no commit, so a working tree would be without it"
        raise AgentError(why, code="worktree_failed")


async def restore(record: TreeRecord) -> None:
    """Check out anew a tree whose folder somebody has removed. AgentError where that fails."""
    git = Git.of_repository(Path(record.common_dir))
    await git("worktree", "remove", "--force", "--force", record.folder)
    is_there = await git("show-ref", "--verify", "--quiet", f"refs/heads/{record.branch}")
    of_branch = [record.folder, record.branch] if is_there else ["-b", record.branch, record.folder, record.head]
    made = await git("worktree", "add", "--quiet", "--no-track", *of_branch, seconds=CHECKOUT_SECONDS)
    found = await Git(Path(record.folder))("rev-parse", "--absolute-git-dir") if made else made
    if not found:
        raise AgentError(f"the working tree cannot be made anew: {found.why}", code="worktree_failed")
    record.git_dir = found.line


async def remove(record: TreeRecord) -> None:
    """Take away the folder, git's entry for it, and the branch. What is gone already is no error."""
    await asyncio.to_thread(_remove_folder, Path(record.folder))
    if not record.has_repository:
        return
    git = Git.of_repository(Path(record.common_dir))
    await git("worktree", "remove", "--force", "--force", record.folder)
    await git("branch", "--delete", "--force", "--quiet", "--", record.branch)


def _remove_folder(folder: Path) -> None:
    """Also what agents have made unwritable for their own user."""

    def again(remove: object, path: str, _: BaseException) -> None:
        parent = Path(path).parent
        if parent.is_relative_to(folder):
            os.chmod(parent, 0o700)
        if callable(remove) and os.path.lexists(path):
            remove(path)

    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, onexc=again)
