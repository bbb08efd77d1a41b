"""A worker whose tasks have working trees of their own: side by side, merged, and after a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from codetether_worker.status_text import as_text, status_of
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.worker.conftest import StartWorker, eventually, git


def in_worktrees(server: FakeControlPlane) -> None:
    server.wait_for(lambda: server.codebases)
    next(iter(server.codebases.values()))["agent_config"] = {"working_tree": "worktree"}


def act(server: FakeControlPlane, shop: Path, task: FakeTask, action: str) -> FakeTask:
    (tree,) = (tree for tree in server.trees.values() if task.id in tree["task_ids"])
    wish: dict[str, Any] = {"id": tree["id"], "action": action, "task_id": task.id, "subject": "Paint", "by": "ada"}
    asked = server.add_codebase_task(action, str(shop), agent_type="working_tree", metadata={"working_tree": wish})
    return server.wait_ended(asked)


def changes(task: FakeTask) -> list[str]:
    (artifact,) = (made for made in task.events("artifact") if made["artifact_id"] == "changes")
    return [file["path"] for part in artifact["parts"] if "data" in part for file in part["data"]["files"]]


def test_two_tasks_of_a_codebase_work_at_once_and_are_merged_one_after_the_other(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    worker = start_worker("--codebases", str(shop), "--concurrency", "2")
    in_worktrees(server)
    doors = server.add_codebase_task(f"wait {tmp_path}/go", str(shop), title="Paint the doors")
    roofs = server.add_codebase_task(f"wait {tmp_path}/go", str(shop), title="Paint the roofs")
    server.wait_for(lambda: doors.text == roofs.text == "waiting")
    folders = {tree["held_by"]: Path(tree["folder"]) for tree in status_of(worker.state_dir)["working_trees"]}
    (folders[doors.id] / "door.txt").write_text("red")
    (folders[roofs.id] / "roof.txt").write_text("red")
    (tmp_path / "go").touch()
    for task in (doors, roofs):
        assert server.wait_ended(task).status == "completed"
    assert (changes(doors), changes(roofs)) == (["door.txt"], ["roof.txt"])
    assert [path.name for path in shop.iterdir() if path.name != ".git"] == ["README.md"]
    for task in (doors, roofs):
        assert act(server, shop, task, "merge").status == "completed"
    assert ((shop / "door.txt").read_text(), (shop / "roof.txt").read_text()) == ("red", "red")
    assert git(shop, "status", "--porcelain") == ""
    assert {tree["state"] for tree in server.trees.values()} == {"merged"}
    assert status_of(worker.state_dir)["working_trees"] == []


def test_a_killed_worker_spares_the_dirty_tree_reaps_the_clean_one_and_goes_on(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    worker = start_worker("--codebases", str(shop), "--concurrency", "2", A2A_WORKER_NAME="ada-laptop")
    in_worktrees(server)
    first = server.wait_ended(server.add_codebase_task("write door.txt red", str(shop)))
    session = first.release["session_id"]
    dirty = server.add_codebase_task(f"wait {tmp_path}/go", str(shop), session_id=session)
    clean = server.add_codebase_task(f"wait {tmp_path}/go", str(shop))
    server.wait_for(lambda: dirty.text.endswith("waiting") and clean.text == "waiting")
    kept = next(tree for tree in status_of(worker.state_dir)["working_trees"] if tree["held_by"] == dirty.id)
    Path(kept["folder"], "half.txt").write_text("half done\n")
    for task in (dirty, clean):
        server.give_to_another(task)
    worker.kill()
    worker.start()
    eventually(lambda: [tree["state"] for tree in status_of(worker.state_dir)["working_trees"]] == ["kept"])
    assert Path(kept["folder"], "half.txt").read_text() == "half done\n"
    assert "not committed: half.txt" in as_text(status_of(worker.state_dir) | {"running": False})
    server.wait_for(lambda: {tree["state"] for tree in server.trees.values()} == {"kept", "empty"})
    (tmp_path / "go").touch()
    again = server.add_codebase_task("shell rest.txt", str(shop), session_id=session)
    assert changes(server.wait_ended(again)) == ["door.txt", "half.txt", "rest.txt"]
    assert act(server, shop, again, "discard").status == "completed"
    assert git(shop, "worktree", "list").count("\n") == 1
    assert git(shop, "branch", "--list", "codetether/*") == ""


def test_in_place_the_changes_are_an_artifact_of_the_task(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("write door.txt red", str(shop)))
    assert changes(task) == ["door.txt"]
    assert (shop / "door.txt").exists()


def test_a_codebase_that_can_have_no_trees_says_why(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    start_worker("--codebases", str(plain))
    in_worktrees(server)
    task = server.wait_ended(server.add_codebase_task("write door.txt red", str(plain)))
    assert (task.status, task.release["error_code"]) == ("failed", "not_a_repository")
    assert list(plain.iterdir()) == []
