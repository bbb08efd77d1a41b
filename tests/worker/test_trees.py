"""A working tree for each task: what is committed, told and removed at the end of an attempt. With git itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetether_worker.errors import AgentError
from tests.worker.conftest import commit_all, git
from tests.worker.tree_stage import FIRST, SHORT, Stage, paint

pytestmark = pytest.mark.asyncio


@pytest.fixture
def stage(shop: Path, tmp_path: Path) -> Stage:
    return Stage(shop, tmp_path / "home")


async def test_a_task_works_beside_the_codebase_and_its_work_is_committed(stage: Stage, shop: Path) -> None:
    folder = await stage.run(paint)
    assert folder.parent == stage.home / "trees"
    assert not (shop / "door.txt").exists()
    assert git(shop, "status", "--porcelain") == ""
    assert git(shop, "show", f"codetether/{SHORT}:door.txt") == "red\n"
    message = git(shop, "log", "-1", "--format=%an <%ae>%n%B", f"codetether/{SHORT}")
    assert message.strip() == f"CodeTether <worker@codetether.invalid>\nPaint the shop\n\nCodetether-Task: {FIRST}"


async def test_the_server_hears_how_the_tree_stands(stage: Stage, shop: Path) -> None:
    await stage.run(paint)
    base, head = (git(shop, "rev-parse", name).strip() for name in ("main", f"codetether/{SHORT}"))
    told = stage.ear.trees[SHORT]
    assert told == {
        "id": SHORT, "codebase_id": "c1", "branch": f"codetether/{SHORT}", "base": base, "base_branch": "main",
        "head": head, "state": "kept", "dirty": False, "left": [], "files": 2, "insertions": 2, "deletions": 1,
        "merged_into": "", "task_ids": [FIRST],
    }  # fmt: skip


async def test_the_diff_is_an_artifact_of_the_task(stage: Stage) -> None:
    await stage.run(paint)
    diff, facts = stage.artifact()
    assert "+++ b/door.txt\n@@ -0,0 +1 @@\n+red\n" in diff
    assert facts["files"][0] == {"path": "README.md", "insertions": 1, "deletions": 1}
    assert (facts["files_total"], facts["insertions"], facts["deletions"], facts["cut"]) == (2, 2, 1, False)
    assert (facts["branch"], facts["left"]) == (f"codetether/{SHORT}", [])


async def test_what_the_agent_committed_itself_counts_too(stage: Stage) -> None:
    def commit(folder: Path) -> None:
        paint(folder)
        commit_all(folder, "Painted by the agent")

    await stage.run(commit)
    assert (stage.record().state, stage.record().files, stage.record().dirty) == ("kept", 2, False)


async def test_an_agent_on_another_branch_takes_ours_along(stage: Stage, shop: Path) -> None:
    def branch_off(folder: Path) -> None:
        git(folder, "checkout", "-q", "-b", "feature")
        paint(folder)

    await stage.run(branch_off)
    assert git(shop, "rev-parse", "feature") == git(shop, "rev-parse", f"codetether/{SHORT}")


async def test_a_tree_in_which_nothing_changed_is_removed(stage: Stage, shop: Path) -> None:
    folder = await stage.run()
    assert not folder.exists()
    assert stage.worktrees() == 0
    assert git(shop, "branch", "--list", "codetether/*") == ""
    assert stage.ear.trees[SHORT]["state"] == "empty"
    assert [event.kind for event in stage.told] == ["status"]


async def test_ignored_files_are_no_change(stage: Stage, shop: Path) -> None:
    (shop / ".gitignore").write_text("*.log\n")
    commit_all(shop, "Ignore logs")
    folder = await stage.run(lambda folder: (folder / "run.log").write_text("x"))
    assert not folder.exists()


async def test_secrets_stay_uncommitted_and_are_shown(stage: Stage, shop: Path) -> None:
    def leak(folder: Path) -> None:
        paint(folder)
        (folder / ".env").write_text("TOKEN=verysecret\n")
        git(folder, "add", ".env")

    folder = await stage.run(leak)
    assert ".env" not in git(shop, "ls-tree", "-r", "--name-only", f"codetether/{SHORT}")
    assert (stage.record().dirty, stage.record().left) == (True, [".env"])
    assert (folder / ".env").read_text() == "TOKEN=verysecret\n"
    assert not any("verysecret" in str(event.data) for event in stage.told)


async def test_a_secret_that_the_agent_committed_is_named_but_not_shown(stage: Stage) -> None:
    def leak(folder: Path) -> None:
        paint(folder)
        (folder / ".env").write_text("TOKEN=verysecret\n")
        commit_all(folder, "All of it")

    await stage.run(leak)
    diff, facts = stage.artifact()
    assert "verysecret" not in diff
    assert facts["files"][0] == {"path": ".env", "insertions": 1, "deletions": 0, "withheld": True}


async def test_a_repository_within_the_tree_is_not_lost(stage: Stage) -> None:
    def clone(folder: Path) -> None:
        (folder / "inner").mkdir()
        git(folder / "inner", "init", "-q")
        (folder / "inner" / "precious.txt").write_text("x")

    folder = await stage.run(clone)
    assert stage.record().left == ["inner/"]
    assert (folder / "inner" / "precious.txt").exists()


async def test_an_unresolved_conflict_is_left_as_it_is(stage: Stage, shop: Path) -> None:
    def conflict(folder: Path) -> None:
        git(folder, "checkout", "-q", "-b", "other")
        (folder / "README.md").write_text("# other\n")
        commit_all(folder, "Other")
        git(folder, "checkout", "-q", f"codetether/{SHORT}")
        (folder / "README.md").write_text("# ours\n")
        commit_all(folder, "Ours")
        with pytest.raises(Exception, match="non-zero"):
            git(folder, "merge", "other")

    await stage.run(conflict)
    assert (stage.record().dirty, stage.record().left) == (True, ["README.md"])
    with pytest.raises(AgentError, match=r"cannot be committed: README\.md"):
        await stage.act("merge")
    assert git(shop, "show", "main:README.md") == "# shop\n"


async def test_a_huge_diff_is_cut_with_a_marker(stage: Stage) -> None:
    await stage.run(lambda folder: (folder / "big.txt").write_text("line\n" * 200_000))
    diff, facts = stage.artifact()
    assert diff.endswith("\n[cut: the diff is longer than 180000 bytes; 1 files changed in all]\n")
    assert (len(diff) < 181_000, facts["cut"], facts["insertions"]) == (True, True, 200_000)


async def test_a_tree_survives_an_agent_that_removes_what_makes_it_one(stage: Stage, shop: Path) -> None:
    def destroy(folder: Path) -> None:
        paint(folder)
        (folder / ".git").unlink()

    await stage.run(destroy)
    assert git(shop, "show", f"codetether/{SHORT}:door.txt") == "red\n"


async def test_hooks_of_the_repository_do_not_run(stage: Stage, shop: Path, tmp_path: Path) -> None:
    for name in ("post-checkout", "pre-commit", "commit-msg", "post-merge", "post-commit"):
        hook = shop / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    await stage.run(paint)
    assert (await stage.act("merge")).status == "completed"
    assert not (tmp_path / "ran").exists()
