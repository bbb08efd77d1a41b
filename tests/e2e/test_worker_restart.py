"""The local worker is restarted, as after an upgrade, in the middle of a task: nothing is lost or done twice."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_up import START_SECONDS, Up, command, environment, wait_until
from tests.fakes import acp_agent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """A running product whose local worker drives the scripted agent."""
    program = tmp_path / "opencode"
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("OPENCODE_BIN", str(program))
    (tmp_path / "product").mkdir()
    running = Up(tmp_path / "product")
    try:
        yield running.ready()
    finally:
        running.stop()


@pytest.fixture
def client(up: Up) -> Iterator[httpx.Client]:
    token = json.loads((up.data_dir / "credentials.json").read_text())["token"]
    with httpx.Client(base_url=up.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        yield http


def task(client: httpx.Client, task_id: str) -> dict[str, Any]:
    facts: dict[str, Any] = client.get(f"/v1/opencode/tasks/{task_id}").json()
    return facts.get("task", facts)


def said(client: httpx.Client, task_id: str) -> str:
    return client.get(f"/v1/opencode/tasks/{task_id}/output").text


def test_a_running_task_survives_a_restart_of_its_worker(up: Up, client: httpx.Client, tmp_path: Path) -> None:
    body = {"title": "Wait", "prompt": f"wait {tmp_path}/go", "codebase_id": "global"}
    task_id = client.post("/v1/opencode/tasks", json=body).raise_for_status().json()["task"]["id"]
    assert wait_until(lambda: "waiting" in said(client, task_id), START_SECONDS)
    before, session = up.pid_of("codetether_worker"), task(client, task_id)["session_id"]

    subprocess.run(command("restart-worker"), cwd=up.folder, env=environment(), capture_output=True, check=True)

    assert wait_until(lambda: up.pid_of("codetether_worker") not in (0, before), START_SECONDS)
    (tmp_path / "go").touch()
    assert wait_until(lambda: task(client, task_id)["status"] == "completed", START_SECONDS), task(client, task_id)
    done = task(client, task_id)
    assert done["session_id"] == session  # the same conversation goes on
    assert done["error"] is None
    kinds = [event["kind"] for event in client.get(f"/v1/opencode/tasks/{task_id}/events").json()["events"]]
    assert kinds.count("claimed") == 2
    assert kinds.count("completed") == 1
    assert done["max_attempts"] - done["attempt"] == 2  # handing it back burned none of three
