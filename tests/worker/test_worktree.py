"""Which files an attempt changed, with and without git."""

from __future__ import annotations

from pathlib import Path

import pytest

from codetether_worker.events import Event
from codetether_worker.worktree import WorkingTree
from tests.worker.conftest import commit_all, git

pytestmark = pytest.mark.asyncio


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def facts(found: list[Event]) -> dict[str, str]:
    return {event.data["path"]: event.data["action"] for event in found}


async def test_changes_of_every_kind_are_found(shop: Path, scratch: Path) -> None:
    (shop / "gone.txt").write_text("x\n")
    commit_all(shop, "More")
    tree = WorkingTree(shop, scratch)
    assert await tree.remember()
    (shop / "README.md").write_text("# store\n")
    (shop / "gone.txt").unlink()
    (shop / "new file.txt").write_text("a\nb")
    found = await tree.remaining()
    assert facts(found) == {"README.md": "modified", "gone.txt": "deleted", "new file.txt": "created"}
    diffs = {event.data["path"]: event.data["diff"] for event in found}
    assert diffs["README.md"] == "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# shop\n+# store\n"
    assert diffs["new file.txt"].endswith("+a\n+b\n\\ No newline at end of file\n")


async def test_what_was_dirty_before_is_not_reported(shop: Path, scratch: Path) -> None:
    (shop / "README.md").write_text("# dirty\n")
    (shop / "untracked.txt").write_text("mine\n")
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    assert await tree.remaining() == []
    (shop / "README.md").write_text("# dirtier\n")
    [event] = await tree.remaining()
    assert "-# dirty\n+# dirtier\n" in event.data["diff"]


async def test_a_commit_hides_nothing(shop: Path, scratch: Path) -> None:
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    (shop / "new.txt").write_text("x\n")
    commit_all(shop, "Committed by the agent")
    assert facts(await tree.remaining()) == {"new.txt": "created"}


async def test_a_change_is_reported_once_and_then_its_difference(shop: Path, scratch: Path) -> None:
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    readme = shop / "README.md"
    readme.write_text("# one\n")
    first = await tree.changed(readme, given_diff=None, existed=None)
    assert first is not None
    assert await tree.changed(readme, given_diff=None, existed=None) is None
    assert await tree.remaining() == []
    readme.write_text("# two\n")
    [second] = await tree.remaining()
    assert "-# one\n+# two\n" in second.data["diff"]


async def test_the_repository_itself_is_left_alone(shop: Path, scratch: Path) -> None:
    before = {path: path.read_bytes() for path in (shop / ".git").rglob("*") if path.is_file()}
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    (shop / "new.txt").write_text("x\n")
    await tree.remaining()
    after = {path: path.read_bytes() for path in (shop / ".git").rglob("*") if path.is_file()}
    assert after == before
    assert git(shop, "status", "--porcelain") == "?? new.txt\n"


async def test_ignored_files_are_not_reported(shop: Path, scratch: Path) -> None:
    (shop / ".gitignore").write_text("*.log\n")
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    (shop / "run.log").write_text("x\n")
    assert await tree.remaining() == []


async def test_paths_are_relative_to_the_folder_that_is_worked_in(shop: Path, scratch: Path) -> None:
    (shop / "web").mkdir()
    tree = WorkingTree(shop / "web", scratch)
    await tree.remember()
    (shop / "web" / "index.html").write_text("x\n")
    (shop / "README.md").write_text("# other\n")
    assert facts(await tree.remaining()) == {"index.html": "created", "../README.md": "modified"}


async def test_binary_content_has_no_diff(shop: Path, scratch: Path) -> None:
    tree = WorkingTree(shop, scratch)
    await tree.remember()
    (shop / "logo.png").write_bytes(b"\x89PNG\x00")
    [event] = await tree.remaining()
    assert event.data == {"action": "created", "path": "logo.png"}


async def test_a_repository_without_commits_works_too(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "-q")
    tree = WorkingTree(folder, scratch)
    assert await tree.remember()
    (folder / "a.txt").write_text("x\n")
    assert facts(await tree.remaining()) == {"a.txt": "created"}


async def test_without_git_the_agent_is_believed(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    tree = WorkingTree(folder, scratch)
    assert not await tree.remember()
    (folder / "a.txt").write_text("x\n")
    event = await tree.changed(Path("a.txt"), given_diff="the diff", existed=False)
    assert event is not None
    assert event.data == {"action": "created", "path": "a.txt", "diff": "the diff"}
    assert await tree.remaining() == []
