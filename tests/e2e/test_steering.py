"""Steering over REST, with a real worker: what people say reaches the agent at once, long before the next heartbeat."""

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.plant import Plant, until
from tests.factories import Cast
from tests.fakes import acp_agent
from tests.worker.conftest import make_repository

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LEASE_SECONDS = 120
HEARTBEAT_SECONDS = LEASE_SECONDS / 4
AT_ONCE = HEARTBEAT_SECONDS / 3
"""Far more than it takes on a busy machine, and far less than a heartbeat that nobody has woken."""


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path, lease_seconds=LEASE_SECONDS) as running:
        yield running


@pytest.fixture
def codebase(plant: Plant, tmp_path: Path) -> str:
    """The path of Ada's codebase, whose agent asks before it acts."""
    program = tmp_path / "opencode"
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nSCRIPTED_FORKS=1 exec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    plant.worker("ada", "--codebase", f"shop:{make_repository(tmp_path / 'shop')}", agent=program)
    found = until(lambda: plant.http.get("/v1/opencode/codebases").json()["codebases"], "ada offers the shop")
    path = f"/v1/opencode/codebases/{found[0]['id']}"
    assert plant.http.patch(path, json={"agent_config": {"auto_approve": False}}).is_success
    return path


def state(plant: Plant, task_id: str, wanted: str) -> None:
    until(lambda: plant.task(task_id)["status"] == wanted, f"the task is {wanted}")


def test_people_steer_a_running_agent(plant: Plant, codebase: str) -> None:
    def trigger(prompt: str) -> str:
        return str(plant.post(f"{codebase}/trigger", {"prompt": prompt})["task_id"])

    def ends(task_id: str, **facts: Any) -> dict[str, Any]:
        """The task, which must end at once, and so."""
        begun = time.monotonic()
        task = plant.ended(task_id, seconds=AT_ONCE)
        assert {name: task[name] for name in facts} == facts
        sys.stderr.write(f"{task['title']!r} ended after {time.monotonic() - begun:.2f} s\n")
        return task

    asking = trigger("ask")
    state(plant, asking, "input_required")
    plant.post(f"/v1/opencode/tasks/{asking}/approve", {})
    assert "o-allow_once" in ends(asking, status="completed")["result"]

    listening = trigger("wait /nothing")
    until(lambda: plant.text(listening) == "waiting", "the agent is in its turn")
    assert plant.post(f"{codebase}/message", {"message": "echo and more"})["task_id"] == listening
    plant.post(f"{codebase}/interrupt", {})  # what was said before is heard next, in the same session
    ends(listening, status="completed", result="and more")

    silent = trigger("silent")
    session_id = until(lambda: plant.task(silent)["session_id"], "its session is open")
    assert plant.post(f"{codebase}/interrupt", {})["task_id"] == silent
    assert "interrupted by ci" in ends(silent, status="cancelled", session_id=session_id)["error"]

    again = plant.post(f"{codebase}/message", {"message": "echo still here"})["task_id"]
    ends(again, status="completed", result="still here", session_id=session_id)

    resumed = plant.post(f"{codebase}/sessions/{session_id}/resume", {"prompt": "echo and here"})["task_id"]
    task = ends(resumed, status="completed", result="and here", session_id=session_id)
    assert task["requires"] == ["opencode", "worker:ada"]

    forked = plant.post(f"{codebase}/sessions/{session_id}/fork", {"prompt": "echo apart"})["task_id"]
    fork = ends(forked, status="completed", result="apart")["session_id"]
    assert plant.http.get(f"{codebase}/sessions/{session_id}").json()["forks"] == [fork] != [session_id]
    more = plant.post(f"{codebase}/message", {"message": "echo further"})["task_id"]
    ends(more, status="completed", result="further", session_id=fork)
