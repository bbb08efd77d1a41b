"""What `codetether-worker status` says of a running worker, and of none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from codetether_worker.status import process_start, read_status
from codetether_worker.status_text import as_text, status_of
from tests.fakes.control_plane import TOKEN, FakeControlPlane
from tests.worker.conftest import StartWorker, eventually


def ask(state_dir: Path, *flags: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "codetether_worker", "status", "--state-dir", str(state_dir), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    return done.returncode, done.stdout + done.stderr


def wait_told(state_dir: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """The status once it says all of that."""
    eventually(lambda: wanted.items() <= (read_status(state_dir) or {}).items())
    return status_of(state_dir)


def test_a_running_task_is_shown(server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker()
    task = server.add_task(f"wait {tmp_path}/go", title="Open the till")
    eventually(lambda: any(t["agent"] == "opencode" for t in status_of(worker.state_dir).get("tasks", ())))
    code, shown = ask(worker.state_dir)
    assert code == 0
    assert f"{worker.pid}, since" in shown
    assert f"{task.id}  opencode" in shown
    assert "Open the till" in shown
    assert "1 of 2" in shown
    told = json.loads(ask(worker.state_dir, "--json")[1])
    assert (told["running"], told["name"], told["server_url"]) == (True, "ada-laptop", server.url)
    assert (told["tasks"][0]["task_id"], told["tasks"][0]["working"]) == (task.id, True)
    assert told["outbox"]["claims"] == 1
    (tmp_path / "go").touch()
    server.wait_ended(task)
    eventually(lambda: status_of(worker.state_dir)["tasks"] == [])


def test_the_file_is_the_owners_alone_and_holds_no_token(server: FakeControlPlane, start_worker: StartWorker) -> None:
    worker = start_worker()
    wait_told(worker.state_dir, {"phase": "working"})
    path = worker.state_dir / "status.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TOKEN not in path.read_text()


def test_a_worker_that_reaches_no_server_says_so(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.stop()
    worker = start_worker()
    assert wait_told(worker.state_dir, {"phase": "connecting"})["running"]
    server.start()
    wait_told(worker.state_dir, {"phase": "working"})
    server.stop()
    eventually(lambda: status_of(worker.state_dir).get("server_trouble"))
    assert "; now: " in as_text(status_of(worker.state_dir))
    server.start()
    wait_told(worker.state_dir, {"server_trouble": None})


def test_the_last_trouble_is_told(server: FakeControlPlane, start_worker: StartWorker) -> None:
    worker = start_worker()
    wait_told(worker.state_dir, {"phase": "working"})
    server.refuse_next("/heartbeat", 400, "bad_heartbeat")
    eventually(lambda: "bad_heartbeat" in str(status_of(worker.state_dir)["last_trouble"]))


def test_nobody_runs_after_an_orderly_end_and_after_a_kill(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    wait_told(worker.state_dir, {"phase": "working"})
    worker.stop()
    assert not (worker.state_dir / "status.json").exists()
    worker.start()
    task = server.add_task(f"wait {tmp_path}/never")
    server.wait_for(lambda: task.text == "waiting")
    worker.kill()
    code, shown = ask(worker.state_dir)
    assert (code, (worker.state_dir / "status.json").exists()) == (1, True)
    assert f"No worker is running on {worker.state_dir}." in shown
    assert "The next one delivers what the last one still owes the server: 1 claim" in shown


def test_another_process_with_the_same_number_is_not_the_worker(tmp_path: Path) -> None:
    started = process_start(os.getpid())
    assert started is not None
    for told, running in ((started, True), (started - 1, False)):
        (tmp_path / "status.json").write_text(json.dumps({"pid": os.getpid(), "process_started": told}))
        assert (read_status(tmp_path) is not None) == running


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    code, shown = ask(tmp_path / "none", "--json")
    assert (code, json.loads(shown)["running"]) == (1, False)
    assert not (tmp_path / "none").exists()
