"""All worktrees of this worker: which task works where, what becomes of a tree at the end, and who is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from codetether_worker import events
from codetether_worker.client import ControlPlane
from codetether_worker.errors import AgentError
from codetether_worker.events import Event
from codetether_worker.protocol import Claim, Outcome
from codetether_worker.routing import working_folder
from codetether_worker.state import State
from codetether_worker.trees import making, settling
from codetether_worker.trees.merging import Merged, MergeRefused, MergeWish, merge
from codetether_worker.trees.record import TreeRecord, TreeStore
from codetether_worker.trees.telling import TreeNews
from codetether_worker.worktree import WorkingTree

log = logging.getLogger(__name__)

WORKTREE = "worktree"
BUSY_RETRY = 5.0  # seconds until a task whose tree is in use is offered again
Emit = Callable[[Event], None]
Work = Callable[[Claim], Awaitable[Outcome]]


def in_worktrees(claim: Claim) -> bool:
    """Whether the tasks of the claim's codebase have working trees of their own."""
    return claim.codebase is not None and claim.codebase.agent_config.get("working_tree") == WORKTREE


def tree_busy() -> Outcome:
    """Not now: two tasks in one tree would spoil each other's work."""
    text = "another task is at work in the same working tree"
    return Outcome("pending", error=text, error_code="tree_busy", retry_after=BUSY_RETRY)


class Trees:
    """The trees below the state folder. One process owns that folder, so nobody else touches them."""

    def __init__(self, state: State, client: ControlPlane) -> None:
        self._store = TreeStore(state.trees_dir)
        self._owner = state.instance
        self._busy: set[str] = set()
        self.news = TreeNews(self._store, client)

    @property
    def folders(self) -> list[tuple[str, Path]]:
        """Where sessions of which codebase may have been held."""
        return [(record.codebase_id, Path(record.folder, record.prefix)) for record in self._store]

    # Work in a tree --------------------------------------------------------------------------------------------------

    async def run(self, claim: Claim, emit: Emit, work: Work, *, known: bool, scratch: Path) -> Outcome:
        """Do the work in the tree that is the task's, or where its codebase is. Raises AgentError.

        A conversation goes on where it began: in its tree, also after that was merged, else in the codebase's folder.
        `known`: the codebase is this worker's; `scratch` is the attempt's own folder.
        """
        record = self._store.of_task(claim.task_id) or self._store.of_session(claim.session_id)
        if record is not None and record.codebase_id != claim.codebase_id:
            record = None
        if record is None or not record.is_open:
            begun_in_place = record is None and claim.session_id is not None
            if begun_in_place or not in_worktrees(claim):
                return await _in_place(claim, emit, work, scratch)
            record = await self._planned(claim, record, known=known)
        if record.id in self._busy or self._folder_in_use(record):
            return tree_busy()
        with self._held(record):
            await self._enter(record, claim, emit)
            outcome: Outcome | None = None
            try:
                outcome = await work(_moved(claim, record))
                return outcome
            finally:
                await self._leave(record, claim, outcome, emit)

    def _folder_in_use(self, record: TreeRecord) -> bool:
        return any(other.id in self._busy and other.folder == record.folder for other in self._store)

    @contextmanager
    def _held(self, record: TreeRecord) -> Iterator[None]:
        self._busy.add(record.id)
        try:
            yield
        finally:
            self._busy.discard(record.id)

    async def _planned(self, claim: Claim, earlier: TreeRecord | None, *, known: bool) -> TreeRecord:
        """A new tree, from what is checked out now; in the folder of the `earlier` one of the same conversation."""
        root = working_folder(_whole(claim), fallback=Path("/"), known=known)
        repository = await making.look_at(root)
        tree_id = _tree_id(claim.task_id)
        folder = self._store.folder / f"{repository.top.name or 'tree'}-{tree_id}"
        reused = earlier is not None and not earlier.is_there and Path(earlier.folder).parent == self._store.folder
        return TreeRecord(
            id=tree_id, owner=self._owner, codebase_id=claim.codebase_id or "",
            folder=earlier.folder if earlier is not None and reused else str(folder),
            common_dir=str(repository.common_dir), prefix=repository.prefix, base=repository.head,
            base_branch=repository.branch, branch=await making.free_branch(repository, tree_id), made_at=time.time(),
            head=repository.head, task_ids=[claim.task_id],
            session_ids=list(earlier.session_ids) if earlier is not None and reused else [],
        )  # fmt: skip

    async def _enter(self, record: TreeRecord, claim: Claim, emit: Emit) -> None:
        if record.state == "making" or not record.has_folder:
            await self._make(record)
            emit(events.status(f"Works in a git worktree of its own, on the branch {record.branch}."))
        else:
            emit(events.status(f"Goes on in the git worktree of the branch {record.branch}."))
        record.state, record.held_by = "active", claim.task_id
        if claim.task_id not in record.task_ids:
            record.task_ids.append(claim.task_id)
        if claim.session_id and claim.session_id not in record.session_ids:
            record.session_ids.append(claim.session_id)
        self._save(record)

    async def _make(self, record: TreeRecord) -> None:
        """Write down what will be made before it is made, so that it is found whatever happens."""
        if record.state != "making":  # somebody has removed the folder; its branch holds what was committed
            await making.restore(record)
            return
        try:
            self._store.save(record)
        except OSError as error:
            why = f"no working tree can be noted: {error.strerror}"
            raise AgentError(why, code="worker_disk", retry=True) from error
        try:
            await making.make(record)
        except AgentError:
            self._store.drop(record)
            raise

    async def _leave(self, record: TreeRecord, claim: Claim, outcome: Outcome | None, emit: Emit) -> None:
        """At the end of an attempt: commit, say what has changed, and remove a tree in which nothing has.

        What will be gone on with (a snooze, a drain) is left as it is.
        """
        ends = outcome is None or outcome.status != "pending"
        if outcome is not None and outcome.session_id and outcome.session_id not in record.session_ids:
            record.session_ids.append(outcome.session_id)
        seen = await settling.settle(record, commits=ends, subject=claim.title, task_id=claim.task_id)
        record.held_by = ""
        await self._put_away(record, seen)
        if ends and record.state != "empty" and (changes := await settling.committed(record)) is not None:
            emit(changes.artifact(branch=record.branch, base=record.base, head=record.head, left=record.left))
        if record.left and ends:
            emit(events.status(f"Not committed on {record.branch}: {', '.join(record.left)}"))
        await self.news.tell()

    async def _put_away(self, record: TreeRecord, seen: bool) -> None:
        """Keep a tree that holds anything, remove one that does not."""
        if seen and not record.dirty and record.head == record.base:
            await making.remove(record)
            record.state = "empty"
        else:
            record.state = "kept"
        self._save(record)

    # Merge, discard --------------------------------------------------------------------------------------------------

    def checkout_of(self, claim: Claim) -> Path | None:
        """The folder that the action of the claim may change, beside the tree itself."""
        return Path(claim.codebase.path).resolve() if claim.codebase is not None else None

    async def act(self, claim: Claim, emit: Emit) -> Outcome:
        """Merge or discard the tree that the task names. Raises AgentError; what was done before is said again."""
        said = claim.metadata.get("working_tree")
        wish: dict[str, Any] = dict(said) if isinstance(said, dict) else {}
        record = self._store.find(str(wish.get("id") or ""))
        if record is None:
            raise AgentError("this worker has no such working tree", code="working_tree_missing")
        if record.id in self._busy:
            return tree_busy()
        with self._held(record):
            if wish.get("action") == "discard":
                return await self._discard(record)
            if wish.get("action") == "merge":
                return await self._merge(record, claim, wish, emit)
        raise AgentError("the action is neither merge nor discard", code="working_tree_action")

    async def _discard(self, record: TreeRecord) -> Outcome:
        if not record.is_there:
            return Outcome("completed", result=f"{record.branch} is {record.state} already: nothing is left of it.")
        await making.remove(record)
        record.state = record.state if record.state == "merged" else "discarded"
        record.dirty, record.left = False, []
        self._save(record)
        await self.news.tell()
        text = f"The working tree and the branch {record.branch} are gone. Its last commit was {record.head}."
        return Outcome("completed", result=text)

    async def _merge(self, record: TreeRecord, claim: Claim, wish: dict[str, Any], emit: Emit) -> Outcome:
        if record.state == "merged":
            return Outcome("completed", result=f"{record.branch} is merged into {record.merged_into} already.")
        if not record.is_open:
            raise AgentError(f"the tree is {record.state}: there is nothing to merge", code="working_tree_gone")
        of_task, subject = str(wish.get("task_id") or ""), str(wish.get("subject") or record.branch)
        await settling.settle(record, commits=True, subject=subject, task_id=of_task)
        self._save(record)
        if record.dirty and (stuck := settling.stuck(record)):
            raise MergeRefused("the tree has changes that cannot be committed", code="working_tree_dirty", files=stuck)
        asked = MergeWish(
            into=str(wish.get("into") or ""), strategy=str(wish.get("strategy") or "merge"),
            subject=f"Merge {subject}" if wish.get("strategy") != "squash" else subject, task_id=of_task,
            by=str(wish.get("by") or ""),
        )  # fmt: skip
        try:
            merged = await merge(
                record, asked, scratch=self._store.folder / f"{record.id}.merge", ours=self._store.folder
            )
        finally:
            await self.news.tell()
        return await self._merged(record, merged)

    async def _merged(self, record: TreeRecord, merged: Merged) -> Outcome:
        """The tree has done its service; what could not be committed in it keeps its folder."""
        record.state, record.merged_into = "merged", merged.into
        self._save(record)
        left = f" Left in {record.folder}: {', '.join(record.left)}." if record.dirty else ""
        if not record.dirty:
            await making.remove(record)
        await self.news.tell()
        how = f"as {merged.commit}" if merged.commit else "before: it had all of it"
        return Outcome("completed", result=f"{record.branch} is merged into {merged.into}, {how}.{left}")

    # Leftovers, telling ----------------------------------------------------------------------------------------------

    async def reap(self) -> None:
        """Before any work: what a worker that was killed left behind is removed where nothing is in it, else kept."""
        for record in list(self._store):
            if record.owner != self._owner:
                log.warning("a working tree of another worker's state folder is left alone id=%s", record.id)
            elif record.state == "making":
                await making.remove(record)
                self._store.drop(record)
            elif record.state == "active":
                seen = record.git_dir != "" and await settling.settle(record, commits=False)
                record.held_by = ""
                await self._put_away(record, seen)
                log.info("a working tree was left behind id=%s branch=%s: %s", record.id, record.branch, record.state)
            elif not record.is_there and record.has_folder and not self._shared(record):
                await making.remove(record)
        self._store.forget_old()

    def _shared(self, record: TreeRecord) -> bool:
        return any(other.is_there and other.folder == record.folder for other in self._store)

    def _save(self, record: TreeRecord) -> None:
        """A full disk costs the record's news, which the next start finds out again, and not the work."""
        try:
            self._store.save(record)
        except OSError as error:
            log.warning("a working tree cannot be noted id=%s: %s", record.id, error)
        self.news.fresh.set()


async def _in_place(claim: Claim, emit: Emit, work: Work, scratch: Path) -> Outcome:
    """Work in the codebase's own folder, and say what has changed in it meanwhile, where it is a git repository."""
    if claim.codebase is None or not Path(claim.codebase.path).is_dir():  # noqa: ASYNC240 (an instant)
        return await work(claim)
    tree = WorkingTree(Path(claim.codebase.path), scratch / "before")
    compares = await tree.remember()
    outcome = await work(claim)
    if compares and outcome.status != "pending" and (changes := await tree.total()) is not None:
        emit(changes.artifact())
    return outcome


def _tree_id(task_id: str) -> str:
    """The end of the task's id, which is random where its beginning is a time."""
    return "".join(c for c in task_id.lower() if c.isascii() and c.isalnum())[-12:]


def _whole(claim: Claim) -> Claim:
    """The claim as if its work began at the codebase's root: a tree is made for all of it."""
    if claim.codebase is None:
        return claim
    config = {**claim.codebase.agent_config, "working_directory": ""}
    return replace(claim, codebase=replace(claim.codebase, agent_config=config))


def _moved(claim: Claim, record: TreeRecord) -> Claim:
    """The claim with the tree in its codebase's place."""
    if claim.codebase is None:
        return claim
    return replace(claim, in_tree=True, codebase=replace(claim.codebase, path=str(Path(record.folder, record.prefix))))
