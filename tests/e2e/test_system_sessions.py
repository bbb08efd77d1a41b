"""Sessions through real processes: stores on Ada's laptop become rows in PostgreSQL, and people go on with them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.sessions.models import AgentSession, SessionMessage, SessionPart
from tests.e2e.plant import Plant, until
from tests.factories import Cast
from tests.fakes import session_stores as fake
from tests.fakes.model_server import ModelServer, Step, call, say
from tests.fakes.opencode_program import MODEL_ID, SKIP_VARIABLE, opencode_environment, opencode_program
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_repository

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

AGENT_SECONDS = 90.0
SCRIPT: dict[str, tuple[Step, ...]] = {
    "RENAME": (
        call("edit", "Renaming it.", filePath="README.md", oldString="# shop", newString="# store"),
        say("It is a store now."),
    ),
    "WHAT": (say("I renamed the shop."),),
}


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path, lease_seconds=30) as running:
        yield running


def rows() -> list[list[dict[str, Any]]]:
    """All that is stored of sessions, but for when it was synced."""
    stored = [list(model.objects.order_by("pk").values()) for model in (AgentSession, SessionMessage, SessionPart)]
    for session in stored[0]:
        del session["synced_at"]
    return stored


def test_every_store_syncs_and_syncs_to_the_same_rows_twice(plant: Plant, tmp_path: Path) -> None:
    home = tmp_path / "ada"
    shop = make_repository(tmp_path / "shop")
    fake.every_store(home, shop)
    synced = until_synced(plant, home, shop)
    assert {row["source"] for row in synced[0]} == {"opencode", "claude", "codex", "gemini"}
    assert {row["session_id"]: row["message_count"] for row in synced[0]} == {
        "ses_1": 2, "ses_0": 2, "c1": 4, "x1": 5, "g1": 3,
    }  # fmt: skip
    first = max(AgentSession.objects.values_list("synced_at", flat=True))
    (home / "state" / "sessions.db").unlink()  # so that everything is told once more
    with laptop(plant, home, shop):
        until(lambda: AgentSession.objects.filter(synced_at__gt=first).count() == 5, "all is told again")
        until(lambda: (home / "state" / "sessions.db").exists(), "the laptop notes it")
    assert rows() == synced


def until_synced(plant: Plant, home: Path, shop: Path) -> list[list[dict[str, Any]]]:
    with laptop(plant, home, shop):
        until(lambda: SessionMessage.objects.count() == 16, "every session is told")
    return rows()


def laptop(plant: Plant, home: Path, shop: Path) -> WorkerProcess:
    return WorkerProcess(plant.url, home, "--codebase", f"shop:{shop}", environment={"PATH": os.defpath})


@pytest.mark.opencode
@pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1")
def test_session_that_ada_began_at_her_terminal_is_gone_on_with_from_the_server(plant: Plant, tmp_path: Path) -> None:
    shop = make_repository(tmp_path / "shop")
    home = tmp_path / "ada"
    home.mkdir()
    with ModelServer(SCRIPT) as model:
        variables = opencode_environment(home, model.base_url)
        run = [str(opencode_program()), "run", "--model", MODEL_ID, "--title", "Till", "--auto", "--dir", str(shop)]
        environment = {**variables, "PWD": str(shop)}
        subprocess.run([*run, "RENAME the shop"], cwd=shop, env=environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=AGENT_SECONDS, check=True)  # fmt: skip
        assert (shop / "README.md").read_text() == "# store\n"
        with WorkerProcess(plant.url, home, "--codebase", f"shop:{shop}", environment=variables):
            session = until(AgentSession.objects.first, "the session is told", seconds=AGENT_SECONDS)
            assert session is not None
            path = f"/v1/opencode/codebases/{session.codebase_id}/sessions/{session.session_id}"
            until(lambda: "It is a store now." in said(plant, path), "its messages are told", seconds=AGENT_SECONDS)

            started = plant.post(f"{path}/resume", {"prompt": "WHAT did you do?", "model": MODEL_ID})
            task = plant.ended(started["task_id"], seconds=AGENT_SECONDS)
            assert (task["status"], task["result"]) == ("completed", "I renamed the shop.")
            assert task["session_id"] == session.session_id
            until(lambda: "I renamed the shop." in said(plant, path), "the answer is told too", seconds=AGENT_SECONDS)


def said(plant: Plant, path: str) -> list[str]:
    """What people read of the session's messages."""
    return [message["content"].strip() for message in plant.http.get(f"{path}/messages").json()["messages"]]
