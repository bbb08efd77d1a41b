"""Two whole CodeTethers with databases of their own: one hands work to the other, and what is in between may die."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from codetether import env
from tests.e2e.plant import PATIENCE, Plant, until
from tests.e2e.test_system_rescue import agent
from tests.factories import Cast
from tests.fakes.control_plane import TOKEN

__all__ = ["agent"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

STOP_SECONDS = 5.0


@pytest.fixture
def other_database(cast: Cast, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of B's own, with its tables in it."""
    name = f"test_b_{uuid.uuid4().hex[:8]}"
    server = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}".format(**connection.settings_dict)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        variables = {"DATABASE_URL": f"{server}/{name}", "CODETETHER_DATA_DIR": str(tmp_path / "prepared")}
        variables["DJANGO_SETTINGS_MODULE"] = "codetether.settings.base"
        prepare = [sys.executable, "-m", "codetether.supervisor.prepare"]
        subprocess.run(prepare, env=env.inherited(**variables), check=True, capture_output=True)
        yield f"{server}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def bridge_of(plant: Plant) -> Iterator[subprocess.Popen[bytes]]:
    """`codetether bridge` beside a web process."""
    with (plant.home / "bridge.log").open("ab") as log:
        command = [sys.executable, "-m", "codetether.cli", "bridge"]
        running = subprocess.Popen(command, env=env.inherited(**plant.environment()), stderr=log)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(STOP_SECONDS)


def test_work_survives_the_death_of_the_bridge_and_of_the_other_side(
    other_database: str, agent: Path, tmp_path: Path
) -> None:
    with (
        Plant(tmp_path / "b", database=other_database) as b,
        Plant(tmp_path / "a", A2A_OUTBOUND_ALLOWED="127.0.0.1") as a,
    ):
        b.worker("bob", agent=agent)
        a.post("/v1/agents/remote", {"card_url": b.url, "name": "b", "token": TOKEN})
        with bridge_of(a) as bridge:
            task_id = a.create(f"wait {tmp_path}/go", target_agent="b")
            until(lambda: a.text(task_id) == "waiting", "what B's agent says is told on A")
            bridge.kill()
            bridge.wait(PATIENCE)
        b.kill()
        with bridge_of(a):
            b.restart()
            (tmp_path / "go").touch()
            done = a.ended(task_id)
        there = b.http.get("/v1/opencode/tasks").json()["tasks"]
        assert (done["status"], done["attempt"], done["error"]) == ("completed", 2, None)
        assert [(task["status"], task["result"]) for task in there] == [("completed", done["result"])]
        assert TOKEN not in (tmp_path / "a" / "bridge.log").read_text()
