"""Merging a task's tree, or discarding it: as git does it by hand, and nothing at all where it cannot be."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from codetether_worker.errors import AgentError
from tests.worker.conftest import commit_all, git, make_repository
from tests.worker.tree_stage import FIRST, SHORT, Stage, paint

pytestmark = pytest.mark.asyncio


@pytest.fixture
def stage(shop: Path, tmp_path: Path) -> Stage:
    return Stage(shop, tmp_path / "home")


def seen_by_others(shop: Path) -> dict[str, str]:
    """All that there is of the repository beside our own tree and branch, and the files of its checkout."""
    refs = [line for line in git(shop, "for-each-ref").splitlines() if "/codetether/" not in line]
    files = {str(path.relative_to(shop)): path.read_text() for path in shop.glob("*.*") if path.is_file()}
    return {"refs": "\n".join(refs), "head": git(shop, "symbolic-ref", "HEAD"),
            "status": git(shop, "status", "--porcelain"), **files}  # fmt: skip


async def refuse(stage: Stage, shop: Path, code: str, action: str = "merge", **more: str) -> AgentError:
    before, trees = seen_by_others(shop), stage.worktrees()
    with pytest.raises(AgentError) as caught:
        await stage.act(action, **more)
    assert caught.value.code == code
    assert seen_by_others(shop) == before
    assert stage.worktrees() == trees
    assert not (shop / ".git" / "MERGE_HEAD").exists()
    return caught.value


async def test_a_merge_brings_the_checkout_forward_and_removes_the_tree(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    done = await stage.act("merge")
    assert done.status == "completed"
    assert (shop / "door.txt").read_text() == "red\n"
    assert git(shop, "status", "--porcelain") == ""
    assert not folder.exists()
    assert git(shop, "branch", "--list", "codetether/*") == ""
    assert (stage.ear.trees[SHORT]["state"], stage.ear.trees[SHORT]["merged_into"]) == ("merged", "main")


async def test_a_merge_says_in_its_commit_for_which_task_and_for_whom(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    await stage.act("merge")
    message = git(shop, "log", "-1", "--format=%B", "main").strip()
    assert message == f"Merge Paint the shop\n\nCodetether-Task: {FIRST}\nCodetether-Merged-By: ada"
    assert len(git(shop, "log", "-1", "--format=%P", "main").split()) == 2


async def test_a_squash_is_one_commit_with_one_parent(stage: Stage, shop: Path) -> None:
    def twice(folder: Path) -> None:
        paint(folder)
        commit_all(folder, "One")
        (folder / "roof.txt").write_text("blue\n")
        commit_all(folder, "Two")

    before = git(shop, "rev-parse", "main").strip()
    await stage.run(twice)
    await stage.act("merge", strategy="squash")
    assert git(shop, "log", "-1", "--format=%P", "main").strip() == before
    assert (shop / "roof.txt").exists()
    assert (shop / "door.txt").exists()


async def test_a_branch_that_is_checked_out_nowhere_is_merged_into(stage: Stage, shop: Path) -> None:
    git(shop, "branch", "release")
    await stage.run(paint)
    await stage.act("merge", into="release")
    assert git(shop, "show", "release:door.txt") == "red\n"
    assert not (shop / "door.txt").exists()
    assert git(shop, "status", "--porcelain") == ""


async def test_merged_twice_says_so(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    await stage.act("merge")
    tip = git(shop, "rev-parse", "main")
    again = await stage.act("merge")
    assert (again.status, again.result) == ("completed", f"codetether/{SHORT} is merged into main already.")
    assert git(shop, "rev-parse", "main") == tip


@pytest.mark.parametrize("strategy", ["merge", "squash"])
async def test_a_merge_of_which_the_worker_died_before_noting_it_is_found(
    stage: Stage, shop: Path, strategy: str
) -> None:
    await stage.run(paint)
    record = stage.home / "trees" / f"{SHORT}.json"
    kept, tip = record.read_text(), git(shop, "rev-parse", f"codetether/{SHORT}").strip()
    await stage.act("merge", strategy=strategy)
    merged = git(shop, "rev-parse", "main")
    record.write_text(kept)
    git(shop, "branch", f"codetether/{SHORT}", tip)
    stage.trees = stage.started()
    assert (await stage.act("merge", strategy=strategy)).status == "completed"
    assert git(shop, "rev-parse", "main") == merged


async def test_a_conflict_names_the_files_and_changes_nothing(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    (shop / "README.md").write_text("# a green shop\n")
    commit_all(shop, "Green")
    error = await refuse(stage, shop, "merge_conflict")
    assert str(error).endswith("Conflicts in: README.md")
    assert folder.exists()
    assert stage.record().state == "kept"


async def test_a_checkout_with_changes_in_the_way_is_not_touched(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    (shop / "README.md").write_text("# being edited\n")
    error = await refuse(stage, shop, "target_dirty")
    assert str(error).endswith(": README.md")


async def test_an_untracked_file_in_the_way_is_not_overwritten(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    (shop / "door.txt").write_text("mine\n")
    await refuse(stage, shop, "target_dirty")
    assert (shop / "door.txt").read_text() == "mine\n"


async def test_changes_in_other_files_are_left_alone(stage: Stage, shop: Path) -> None:
    (shop / "other.txt").write_text("x\n")
    commit_all(shop, "Other")
    await stage.run(paint)
    (shop / "other.txt").write_text("being edited\n")
    (shop / "untracked.txt").write_text("mine\n")
    assert (await stage.act("merge")).status == "completed"
    assert (shop / "other.txt").read_text() == "being edited\n"
    assert git(shop, "status", "--porcelain") == " M other.txt\n?? untracked.txt\n"


async def test_an_unfinished_merge_of_a_person_is_not_touched(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    git(shop, "checkout", "-q", "-b", "side")
    (shop / "side.txt").write_text("x\n")
    commit_all(shop, "Side")
    git(shop, "checkout", "-q", "main")
    git(shop, "merge", "-q", "--no-ff", "--no-commit", "side")
    before = seen_by_others(shop)
    with pytest.raises(AgentError) as caught:
        await stage.act("merge")
    assert caught.value.code == "target_dirty"
    assert seen_by_others(shop) == before
    assert (shop / ".git" / "MERGE_HEAD").exists()


@pytest.mark.parametrize("into", ["nowhere", "--upload-pack=x", "a..b", "refs/heads/main@{1}"])
async def test_a_target_that_is_no_branch_is_refused(stage: Stage, shop: Path, into: str) -> None:
    await stage.run(paint)
    await refuse(stage, shop, "target_missing", into=into)


async def test_another_tasks_branch_is_no_target(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    await stage.run(lambda folder: (folder / "roof.txt").write_text("x"), task_id="0197-000000000002")
    await refuse(stage, shop, "target_busy", into="codetether/000000000002")


async def test_an_unknown_tree_and_an_unknown_action_are_refused(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    await refuse(stage, shop, "working_tree_missing", tree="../../etc")
    await refuse(stage, shop, "working_tree_action", action="burn")


async def test_discarding_removes_tree_and_branch_whatever_is_in_it(stage: Stage, shop: Path) -> None:
    def leave(folder: Path) -> None:
        paint(folder)
        (folder / ".env").write_text("x")

    before = git(shop, "rev-parse", "main")
    folder = await stage.run(leave)
    done = await stage.act("discard")
    assert (done.status, stage.ear.trees[SHORT]["state"]) == ("completed", "discarded")
    assert not folder.exists()
    assert (git(shop, "rev-parse", "main"), git(shop, "branch", "--list", "codetether/*")) == (before, "")
    assert (await stage.act("discard")).status == "completed"
    await refuse(stage, shop, "working_tree_gone")


async def test_what_was_left_uncommitted_outlives_the_merge_until_it_is_discarded(stage: Stage, shop: Path) -> None:
    def leave(folder: Path) -> None:
        paint(folder)
        (folder / ".env").write_text("x")

    folder = await stage.run(leave)
    done = await stage.act("merge")
    assert done.result is not None
    assert done.result.endswith(f"Left in {folder}: .env.")
    assert (folder / ".env").exists()
    assert not (shop / ".env").exists()
    await stage.act("discard")
    assert not folder.exists()
    assert stage.record().state == "merged"


async def test_changes_made_by_hand_in_the_tree_are_merged_too(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    (folder / "by-hand.txt").write_text("x\n")
    await stage.act("merge")
    assert (shop / "by-hand.txt").exists()


# Property: whatever was edited and committed on both sides, the result is that of a merge by hand.


class Scribe:
    """Makes random edits and commits; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def write(self, folder: Path) -> None:
        for _ in range(self._chance.randint(1, 3)):
            self._edit(folder)
            if self._chance.random() < 0.5:
                commit_all(folder, "More")
        git(folder, "add", "--all")
        if git(folder, "status", "--porcelain"):
            commit_all(folder, "The rest")

    def _edit(self, folder: Path) -> None:
        path = folder / f"{self._chance.choice('abc')}.txt"
        if path.exists() and self._chance.random() < 0.15:
            path.unlink()
            return
        lines = path.read_text().splitlines() if path.exists() else []
        place = self._chance.randint(0, len(lines))
        lines[place : place + self._chance.randint(0, 1)] = [f"line {self._chance.randint(0, 9)}"]
        path.write_text("".join(f"{line}\n" for line in lines))


def by_hand(shop: Path, branch: str, copy: Path, *, squash: bool) -> str | None:
    """The tree that `git merge` gives in a clone; None for a conflict."""
    git(shop, "clone", "-q", str(shop), str(copy))
    how = ["--squash"] if squash else ["--no-ff", "--no-edit"]
    try:
        git(copy, "merge", "-q", *how, f"origin/{branch}")
    except subprocess.CalledProcessError:
        return None
    if squash and git(copy, "diff", "--cached", "--name-only"):
        git(copy, "commit", "-q", "-m", "Squashed")
    return git(copy, "rev-parse", "HEAD^{tree}")


@pytest.mark.parametrize("seed", range(6))
async def test_a_merge_gives_what_git_gives_by_hand(tmp_path: Path, seed: int) -> None:
    shop = make_repository(tmp_path / "shop")
    scribe, squash = Scribe(seed), seed % 2 == 1
    (shop / "a.txt").write_text("".join(f"line {number}\n" for number in range(12)))
    commit_all(shop, "Lines")
    stage = Stage(shop, tmp_path / "home")
    await stage.run(scribe.write)
    scribe.write(shop)
    before = seen_by_others(shop)
    expected = by_hand(shop, f"codetether/{SHORT}", tmp_path / "copy", squash=squash)
    merging = stage.act("merge", strategy="squash" if squash else "merge")
    if expected is None:
        with pytest.raises(AgentError, match="nothing was merged"):
            await merging
        assert seen_by_others(shop) == before
    else:
        await merging
        assert git(shop, "rev-parse", "main^{tree}") == expected
        assert git(shop, "status", "--porcelain") == ""
