"""Where a task works: in which tree a conversation goes on, where there can be none, and what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.errors import AgentError
from codetether_worker.protocol import Claim, Outcome
from tests.worker.conftest import commit_all, git
from tests.worker.tree_stage import FIRST, SHORT, Stage, paint

pytestmark = pytest.mark.asyncio


@pytest.fixture
def stage(shop: Path, tmp_path: Path) -> Stage:
    return Stage(shop, tmp_path / "home")


async def test_a_retry_goes_on_in_the_same_tree(stage: Stage) -> None:
    snoozed = Outcome("pending", retry_after=1)
    folder = await stage.run(paint, snoozed)
    assert stage.record().dirty
    seen: list[str] = []
    assert await stage.run(lambda tree: seen.append((tree / "door.txt").read_text())) == folder
    assert seen == ["red\n"]
    assert stage.record().dirty is False


async def test_a_resumed_session_goes_on_in_its_tree(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    second = "0197-000000000002"
    again = await stage.run(lambda tree: (tree / "roof.txt").write_text("blue\n"), task_id=second, session_id="ses_1")
    assert again == folder
    assert git(shop, "show", f"codetether/{SHORT}:roof.txt") == "blue\n"
    assert stage.ear.trees[SHORT]["task_ids"] == [FIRST, second]


async def test_after_a_merge_the_session_gets_a_new_tree_in_the_old_folder(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    await stage.act("merge")
    assert not folder.exists()
    again = await stage.run(paint, task_id="0197-000000000002", session_id="ses_1")
    assert again == folder
    assert stage.record("000000000002").base == git(shop, "rev-parse", "main").strip()


async def test_a_session_of_the_codebases_own_folder_goes_on_there(stage: Stage, shop: Path) -> None:
    assert await stage.run(session_id="ses_from_a_terminal") == shop


async def test_a_tree_of_another_codebase_is_not_entered(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    claim = replace(stage.claim("0197-000000000002", session_id="ses_1"), codebase_id="c2")

    async def work(moved: Claim) -> Outcome:
        assert moved == claim
        return Outcome("completed")

    await stage.trees.run(claim, stage.told.append, work, known=True, scratch=stage.home / "scratch" / "2")
    assert stage.record().task_ids == [FIRST]


async def test_two_tasks_at_once_have_two_trees(stage: Stage) -> None:
    both = asyncio.Barrier(2)

    async def meet(folder: Path) -> None:
        (folder / f"{folder.name}.txt").write_text("x")
        async with asyncio.timeout(10):
            await both.wait()

    await asyncio.gather(stage.run(meet), stage.run(meet, task_id="0197-000000000002"))
    assert [stage.record(tree).files for tree in (SHORT, "000000000002")] == [1, 1]


async def test_a_second_task_of_one_session_waits(stage: Stage) -> None:
    await stage.run(paint)
    inside = asyncio.Event()
    end = asyncio.Event()

    async def hold(folder: Path) -> None:
        inside.set()
        await end.wait()

    first = asyncio.create_task(stage.run(hold, task_id="0197-000000000002", session_id="ses_1"))
    await inside.wait()
    await stage.run(paint, task_id="0197-000000000003", session_id="ses_1")
    assert (stage.outcome.status, stage.outcome.error_code) == ("pending", "tree_busy")
    with_action = await stage.act("discard")
    assert (with_action.status, with_action.error_code) == ("pending", "tree_busy")
    end.set()
    await first


async def test_a_codebase_below_the_top_works_at_its_place(stage: Stage, shop: Path) -> None:
    (shop / "app").mkdir()
    (shop / "app" / "main.py").write_text("1\n")
    commit_all(shop, "An app")
    stage.shop = shop / "app"
    folder = await stage.run(lambda folder: (folder / "main.py").write_text("2\n"))
    assert folder.name == "app"
    assert git(shop, "show", f"codetether/{SHORT}:app/main.py") == "2\n"


# Where there can be none


async def refused(stage: Stage, code: str) -> None:
    with pytest.raises(AgentError) as caught:
        await stage.run(paint)
    assert caught.value.code == code
    assert list((stage.home / "trees").iterdir()) == []


async def test_a_folder_without_git_is_refused(stage: Stage, tmp_path: Path) -> None:
    stage.shop = tmp_path / "plain"
    stage.shop.mkdir()
    await refused(stage, "not_a_repository")
    assert list(stage.shop.iterdir()) == []


async def test_a_repository_without_a_commit_is_refused(stage: Stage, tmp_path: Path) -> None:
    stage.shop = tmp_path / "fresh"
    stage.shop.mkdir()
    git(stage.shop, "init", "-q")
    await refused(stage, "no_commit")


async def test_a_bare_repository_is_refused(stage: Stage, tmp_path: Path, shop: Path) -> None:
    git(shop, "clone", "-q", "--bare", str(shop), str(tmp_path / "bare"))
    stage.shop = tmp_path / "bare"
    await refused(stage, "bare_repository")


async def test_a_folder_that_is_in_no_commit_is_refused(stage: Stage, shop: Path) -> None:
    stage.shop = shop / "untracked"
    stage.shop.mkdir()
    await refused(stage, "worktree_failed")
    assert stage.worktrees() == 0
    assert git(shop, "branch", "--list", "codetether/*") == ""


async def test_from_a_detached_head_the_target_must_be_named(stage: Stage, shop: Path) -> None:
    git(shop, "checkout", "-q", "--detach")
    await stage.run(paint)
    with pytest.raises(AgentError) as caught:
        await stage.act("merge")
    assert caught.value.code == "target_missing"
    assert (await stage.act("merge", into="main")).status == "completed"
    assert git(shop, "show", "main:door.txt") == "red\n"


async def test_a_tree_with_a_submodule_is_made_and_removed(stage: Stage, shop: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    git(shop, "clone", "-q", str(shop), str(library))
    git(shop, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    commit_all(shop, "A library")

    def use(folder: Path) -> None:
        git(folder, "-c", "protocol.file.allow=always", "submodule", "update", "--init", "-q")

    folder = await stage.run(use)
    assert stage.record().state == "empty"
    assert not folder.exists()


# After a crash


async def crash(stage: Stage, act: Callable[[Path], Any]) -> Path:
    """An attempt in the middle of which the worker is killed: nothing after it happens."""
    reached = asyncio.Event()
    folders: list[Path] = []

    async def hang(folder: Path) -> None:
        folders.append(folder)
        act(folder)
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(stage.run(hang))
    await reached.wait()
    record = stage.record()
    assert (record.state, record.held_by) == ("active", FIRST)
    stage.trees = stage.started()
    stage.crashed = task  # type: ignore[attr-defined]
    return folders[0]


async def test_a_dirty_tree_is_spared_after_a_crash(stage: Stage) -> None:
    folder = await crash(stage, paint)
    await stage.trees.reap()
    assert (folder / "door.txt").read_text() == "red\n"
    assert (stage.record().state, stage.record().dirty) == ("kept", True)
    assert sorted(stage.record().left) == ["README.md", "door.txt"]


async def test_a_clean_tree_is_reaped_after_a_crash(stage: Stage, shop: Path) -> None:
    folder = await crash(stage, lambda folder: None)
    await stage.trees.reap()
    assert not folder.exists()
    assert (stage.record().state, stage.worktrees()) == ("empty", 0)


async def test_unmerged_commits_are_spared_after_a_crash(stage: Stage) -> None:
    def commit(folder: Path) -> None:
        paint(folder)
        commit_all(folder, "Painted")

    folder = await crash(stage, commit)
    await stage.trees.reap()
    assert folder.exists()
    assert (stage.record().state, stage.record().dirty) == ("kept", False)


async def test_what_another_worker_owns_is_never_removed(stage: Stage) -> None:
    folder = await crash(stage, lambda folder: None)
    await stage.started("another").reap()
    assert folder.exists()
    assert stage.record().state == "active"


async def test_a_tree_that_was_never_finished_is_taken_away(stage: Stage, shop: Path) -> None:
    await crash(stage, lambda folder: None)
    path = stage.home / "trees" / f"{SHORT}.json"
    path.write_text(path.read_text().replace('"active"', '"making"'))
    trees = stage.started()
    await trees.reap()
    assert list((stage.home / "trees").iterdir()) == []
    assert stage.worktrees() == 0


async def test_the_server_is_told_again_until_it_has_heard(stage: Stage) -> None:
    stage.ear.away = True
    await stage.run(paint)
    assert stage.ear.trees == {}
    stage.ear.away = False
    telling = asyncio.create_task(stage.started().news.run())
    async with asyncio.timeout(10):
        await stage.ear.heard.wait()
    telling.cancel()
    assert stage.ear.held == [SHORT]


# In place


async def test_in_place_the_diff_is_an_artifact_too(stage: Stage, shop: Path) -> None:
    (shop / "mine.txt").write_text("dirty before\n")
    folder = await stage.run(paint, config={"working_tree": "in_place"})
    assert folder == shop
    diff, facts = stage.artifact()
    assert "+red\n" in diff
    assert [file["path"] for file in facts["files"]] == ["README.md", "door.txt"]
    assert stage.ear.trees == {}


async def test_in_place_without_git_there_is_none(stage: Stage, tmp_path: Path) -> None:
    stage.shop = tmp_path / "plain"
    stage.shop.mkdir()
    await stage.run(lambda folder: (folder / "a").write_text("x"), config={"working_tree": "in_place"})
    assert stage.told == []
