"""Real workers die and freeze in the middle of a task: another one finishes it, and nothing late is accepted."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.plant import Plant, until
from tests.factories import Cast
from tests.fakes import acp_agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path) as running:
        yield running


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """The scripted agent as an `opencode` program."""
    program = tmp_path / "opencode"
    script = shlex.quote(str(Path(acp_agent.__file__)))
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {script} "$@"\n')
    program.chmod(0o755)
    return program


def outbox(state_dir: Path) -> str:
    return "".join(file.read_text() for file in (state_dir / "outbox").iterdir())


def test_task_of_a_killed_worker_is_finished_by_another(plant: Plant, agent: Path, tmp_path: Path) -> None:
    ada = plant.worker("ada", agent=agent)
    task_id = plant.create(f"wait {tmp_path}/go")
    until(lambda: plant.text(task_id) == "waiting", "ada's agent has begun")
    ada.kill()
    plant.worker("bob", agent=agent)
    (tmp_path / "go").touch()
    done = plant.ended(task_id)
    assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", "bob", 2)
    ada.start()
    until(lambda: "claim is stale" in ada.log, "ada hears that her claim is void")
    until(lambda: not outbox(ada.state_dir), "ada drops what she owed")
    assert plant.task(task_id) == done


def test_result_of_a_worker_that_froze_comes_too_late(plant: Plant, agent: Path, tmp_path: Path) -> None:
    ada = plant.worker("ada", agent=agent)
    task_id = plant.create(f"wait {tmp_path}/go")
    until(lambda: plant.text(task_id) == "waiting", "ada's agent has begun")
    os.kill(ada.pid, signal.SIGSTOP)
    (tmp_path / "go").touch()
    plant.worker("bob", agent=agent)
    done = plant.ended(task_id)
    assert (done["status"], done["worker_id"], done["attempt"]) == ("completed", "bob", 2)
    os.kill(ada.pid, signal.SIGCONT)
    until(lambda: "claim is stale" in ada.log or "stopping task" in ada.log, "ada hears that her claim is void")
    until(lambda: not outbox(ada.state_dir), "ada drops what she owed")
    assert plant.task(task_id) == done
