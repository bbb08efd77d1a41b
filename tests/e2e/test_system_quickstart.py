"""The quick starts of the documentation, request for request, against real processes; only a token is added."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.plant import Json, Plant, until
from tests.factories import Cast
from tests.worker.conftest import commit_all, git

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FORM = "application/x-www-form-urlencoded"  # what curl -d sends when it is told nothing else
JSON = "application/json"


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path) as running:
        yield running


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A repository, /home/user/my-app of the documents."""
    folder = tmp_path / "my-app"
    folder.mkdir()
    (folder / "auth.py").write_text("def login():\n    return True  # TODO: check the password\n")
    git(folder, "init", "-q", "-b", "main")
    commit_all(folder, "Let everybody in")
    return folder


def curl(plant: Plant, path: str, data: object = None, *, kind: str = JSON) -> httpx.Response:
    """One of the documents' curl commands."""
    if data is None:
        return plant.http.get(path)
    return plant.http.post(path, content=json.dumps(data), headers={"content-type": kind})


def texts(value: Any) -> list[str]:
    """Every text in an A2A answer, however it is nested."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in texts(inner)]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list) else []


def until_complete(events: Iterator[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for name, data in events:
        yield name, data
        if name in ("complete", "error"):
            return


def test_agent_card_then_calculate_then_analyze(plant: Plant, app: Path) -> None:
    plant.worker("local", "--codebase", str(app))
    card = curl(plant, "/.well-known/agent-card.json").json()
    assert card["name"]
    calculate = {"message": {"parts": [{"type": "text", "content": "Calculate 25 * 4"}]}}
    answer = curl(plant, "/", {"jsonrpc": "2.0", "method": "message/send", "params": calculate}).json()
    assert answer["result"]["status"]["state"] == "completed", answer
    assert "100" in texts(answer["result"])
    analyze = {"message": {"parts": [{"type": "text", "content": "Analyze this codebase"}]}}
    call = {"jsonrpc": "2.0", "method": "message/send", "params": analyze, "id": "1"}
    answer = curl(plant, "/v1/a2a", call).json()
    assert answer["id"] == "1"
    assert any("Python" in text and "Let everybody in" in text for text in texts(answer["result"]))


def test_register_codebase_trigger_and_watch(plant: Plant, app: Path) -> None:
    plant.worker("local")
    made = curl(plant, "/v1/opencode/codebases", {"name": "my-app", "path": str(app)}).json()
    codebase_id = made["codebase"]["id"]
    path = f"/v1/opencode/codebases/{codebase_id}"
    until(lambda: curl(plant, path).json()["worker_id"] == "local", "the worker confirms the codebase")
    with plant.events(codebase_id) as events:
        prompt = {"prompt": "Add unit tests for the auth module", "agent": "build"}
        triggered = curl(plant, f"{path}/trigger", prompt, kind=FORM).json()
        assert triggered["success"], triggered
        seen = list(until_complete(events))
    assert (seen[-1][0], seen[-1][1]["status"]) == ("complete", "completed")
    assert {"status", "output"} <= {name for name, _ in seen}
    task = plant.task(triggered["task_id"])
    assert (task["status"], task["codebase_id"]) == ("completed", codebase_id)
    assert "No AI model is connected" in task["result"]
