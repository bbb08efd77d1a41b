"""A worker's operation beside the whole product: checked, asked what it does, and restarted in the middle of a task."""

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


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running product whose local worker drives the scripted agent."""
    program = tmp_path_factory.mktemp("bin") / "opencode"
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENCODE_BIN", str(program))
        running = Up(tmp_path_factory.mktemp("product"))
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


def check(up: Up, token: str, state_dir: Path) -> dict[str, tuple[str, str]]:
    """What `--check` finds with this token: level and text by area."""
    options = ["--check", "--json", "--server", up.url, "--state-dir", str(state_dir)]
    done = subprocess.run(
        [sys.executable, "-m", "codetether_worker", *options],
        env=environment() | {"A2A_TOKEN": token}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    body = json.loads(done.stdout)
    assert done.returncode == (0 if body["ok"] else 1)
    return {found["area"]: (found["level"], found["text"]) for found in body["checks"]}


def test_a_check_tells_tokens_apart(up: Up, client: httpx.Client, tmp_path: Path) -> None:
    made = {
        role: client.post("/v1/users/api-keys", json={"name": f"a {role}", "role": role}).raise_for_status().json()
        for role in ("worker", "viewer")
    }
    found = {role: check(up, answer["token"], tmp_path / "state") for role, answer in made.items()}
    assert found["worker"]["server"][0] == found["worker"]["clock"][0] == "ok"
    assert found["worker"]["token"] == ("ok", "a worker (worker) is accepted")
    assert found["viewer"]["token"][0] == check(up, "ct_wrong", tmp_path / "state")["token"][0] == "fail"
    assert not (tmp_path / "state").exists()
