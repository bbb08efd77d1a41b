"""The main job, whole: a person triggers the real OpenCode on a real repository and watches it happen.

Only the model is scripted; it answers on loopback.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from codetether_worker.processes import marked_processes
from tests.e2e.plant import Json, Plant, until
from tests.factories import Cast
from tests.fakes.model_server import ModelServer, Step, call, say
from tests.fakes.opencode_program import MODEL_ID, SKIP_VARIABLE, opencode_environment
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_repository

pytestmark = [
    pytest.mark.opencode,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1"),
    pytest.mark.timeout(240),
]

AGENT_SECONDS = 90.0
LEASE_SECONDS = 30
SCRIPT: dict[str, tuple[Step, ...]] = {
    "RENAME": (
        call("edit", "Renaming it.", filePath="README.md", oldString="# shop", newString="# store"),
        say("It is a store now."),
    ),
    "WHAT": (say("I renamed the shop."),),
    "SLEEP": (call("bash", command="setsid sleep 987 & sleep 986", description="wait"), say("never said")),
}
ENDINGS = ("complete", "error")


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path, lease_seconds=LEASE_SECONDS) as running:
        yield running


@pytest.fixture
def laptop(plant: Plant, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Ada's laptop: the shop's repository, and OpenCode with the scripted model."""
    shop = make_repository(tmp_path / "shop")
    home = tmp_path / "ada"
    home.mkdir()
    with ModelServer(SCRIPT) as model:
        variables = opencode_environment(home, model.base_url)
        with WorkerProcess(plant.url, home, "--codebase", f"shop:{shop}", environment=variables) as worker:
            yield worker


@pytest.fixture
def shop(plant: Plant, laptop: WorkerProcess) -> str:
    """The id of the codebase that the laptop has registered, once it can run the scripted model."""

    def look() -> str:
        models = plant.http.get("/v1/opencode/models").json()["models"]
        listed = plant.http.get("/v1/opencode/codebases").json()["codebases"]
        return str(listed[0]["id"]) if models and listed else ""

    return until(look, "the laptop has registered its codebase and models", seconds=AGENT_SECONDS)


def watched(plant: Plant, codebase: str, prompt: str) -> tuple[str, list[tuple[str, Json]]]:
    """Trigger `prompt` while watching the codebase; the task's id and its events up to the end."""
    with plant.events(codebase) as events, ThreadPoolExecutor(1) as pool:
        next(events)  # the present state: from now on nothing is missed
        triggered: Future[Json] = pool.submit(
            plant.post, f"/v1/opencode/codebases/{codebase}/trigger", {"prompt": prompt, "model": MODEL_ID}
        )
        seen: list[tuple[str, Json]] = []
        for name, data in events:
            seen.append((name, data))
            if name in ENDINGS:
                break
        return str(triggered.result()["task_id"]), seen


def test_triggered_opencode_edits_the_repository_while_everyone_watches(
    plant: Plant, shop: str, laptop: WorkerProcess, tmp_path: Path
) -> None:
    task_id, seen = watched(plant, shop, "RENAME the shop")
    assert (tmp_path / "shop" / "README.md").read_text() == "# store\n"
    names = [name for name, _ in seen]
    firsts = [names.index(name) for name in ("status", "output", "tool_use", "file_change", "complete")]
    assert firsts == sorted(firsts), names
    assert [data["path"] for name, data in seen if name == "file_change"] == ["README.md"]

    task = plant.task(task_id)
    assert (task["status"], task["result"]) == ("completed", "It is a store now.")
    assert task["session_id"].startswith("ses_")
    assert task["usage"]["input_tokens"] > 0

    told = plant.post(f"/v1/opencode/codebases/{shop}/message", {"message": "WHAT did you do?"})
    more = plant.ended(told["task_id"], seconds=AGENT_SECONDS)
    assert (more["result"], more["session_id"]) == ("I renamed the shop.", task["session_id"])


def test_cancelled_opencode_leaves_no_process_and_nothing_later_counts(
    plant: Plant, shop: str, laptop: WorkerProcess
) -> None:
    started = plant.post(f"/v1/opencode/codebases/{shop}/trigger", {"prompt": "SLEEP for long", "model": MODEL_ID})
    task_id = started["task_id"]
    marker = f"CODETETHER_AGENT_{(laptop.state_dir / 'instance').read_text().strip()}_"
    until(lambda: len(marked_processes(marker)) >= 3, "OpenCode, its shell and the sleeps run", seconds=AGENT_SECONDS)
    claim_seen = plant.task(task_id)["last_seq"]

    plant.post(f"/v1/opencode/tasks/{task_id}/cancel", {})
    until(lambda: not marked_processes(marker), "the agent and all its children are gone", seconds=AGENT_SECONDS)
    until(lambda: not list((laptop.state_dir / "outbox").iterdir()), "the laptop owes nothing any more")
    task = plant.task(task_id)
    assert task["status"] == "cancelled"
    log = plant.http.get(f"/v1/opencode/tasks/{task_id}/events", params={"after_seq": claim_seen}).json()["events"]
    assert log[-1]["kind"] == "cancelled"
