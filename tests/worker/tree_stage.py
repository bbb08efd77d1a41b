"""A worker's trees over a repository, without a worker or a server around them: for the tests of each part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerUnreachable
from codetether_worker.events import Event
from codetether_worker.protocol import Claim, Outcome, RegisteredCodebase
from codetether_worker.state import State
from codetether_worker.trees.keeper import Trees
from codetether_worker.trees.record import TreeRecord, read_records
from tests.worker.conftest import git

DONE = Outcome("completed", result="done", session_id="ses_1")
SHORT = "000000000001"
FIRST = f"0197-{SHORT}"


class Ear:
    """What the server has heard of working trees."""

    def __init__(self) -> None:
        self.trees: dict[str, dict[str, Any]] = {}
        self.held: list[str] | None = None
        self.away = False
        self.heard = asyncio.Event()

    async def tell_trees(self, trees: Sequence[Mapping[str, Any]], *, held: Sequence[str] | None) -> None:
        if self.away:
            raise ServerUnreachable("away")
        self.trees |= {tree["id"]: dict(tree) for tree in trees}
        self.held = list(held) if held is not None else self.held
        self.heard.set()


class Stage:
    """A worker's trees over the repository `shop`; `work` runs in them as an agent would."""

    def __init__(self, shop: Path, home: Path) -> None:
        self.shop = shop
        self.home = home
        self.ear = Ear()
        self.told: list[Event] = []
        (home / "trees").mkdir(parents=True, exist_ok=True)
        self.trees = self.started()

    def started(self, instance: str = "i1") -> Trees:
        """As after a start of the worker."""
        state = State(root=self.home, worker_id="w", instance=instance, _lock=-1)
        return Trees(state, cast(ControlPlane, self.ear))

    def claim(self, task_id: str = FIRST, **more: Any) -> Claim:
        config = {"working_tree": "worktree", **more.pop("config", {})}
        codebase = RegisteredCodebase("c1", "shop", str(self.shop), config)
        return Claim(task_id, "token", title="Paint the shop", codebase_id="c1", codebase=codebase, **more)

    async def run(
        self, act: Callable[[Path], Any] = lambda folder: None, outcome: Outcome | None = DONE, **more: Any
    ) -> Path:
        """One attempt; the folder in which it worked."""
        claim, seen = self.claim(**more), list[Path]()

        async def work(moved: Claim) -> Outcome:
            assert moved.codebase is not None
            seen.append(Path(moved.codebase.path))
            done = act(seen[0])
            if isinstance(done, Awaitable):
                await done
            assert outcome is not None
            return outcome

        scratch = self.home / "scratch" / claim.task_id
        self.outcome = await self.trees.run(claim, self.told.append, work, known=True, scratch=scratch)
        return seen[0] if seen else Path()

    async def act(self, action: str, tree: str = SHORT, **more: str) -> Outcome:
        wish = {"id": tree, "action": action, "task_id": FIRST, "subject": "Paint the shop", "by": "ada", **more}
        claim = replace(self.claim("0197-action"), metadata={"working_tree": wish})
        return await self.trees.act(claim, self.told.append)

    def record(self, tree: str = SHORT) -> TreeRecord:
        return next(record for record in read_records(self.home / "trees") if record.id == tree)

    def artifact(self) -> tuple[str, dict[str, Any]]:
        """Diff and facts of the last artifact."""
        diff, facts = [event for event in self.told if event.kind == "artifact"][-1].data["parts"]
        return diff["text"], facts["data"]

    def worktrees(self) -> int:
        return git(self.shop, "worktree", "list").count("\n") - 1


def paint(folder: Path) -> None:
    (folder / "README.md").write_text("# a red shop\n")
    (folder / "door.txt").write_text("red\n")
