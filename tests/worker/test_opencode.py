"""The real OpenCode program, on a real repository, with a scripted model on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_worker.processes import marked_processes
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.fakes.model_server import ModelServer, Step, call, fail, say
from tests.fakes.opencode_program import MODEL_ID, SKIP_VARIABLE, opencode_environment
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import eventually, git

pytestmark = [
    pytest.mark.opencode,
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1"),
    pytest.mark.timeout(180),
]

COMMIT = "git -c user.name=Bot -c user.email=bot@example.org commit -qam renamed"
SCRIPT: dict[str, tuple[Step, ...]] = {
    "RENAME": (
        call("edit", "Renaming it.", filePath="README.md", oldString="# shop", newString="# store"),
        call("bash", command=f"echo done > log.txt && {COMMIT}", description="commit"),
        say("It is a store now.", reasoning="the owner wants a store"),
    ),
    "WHAT": (say("I renamed the shop."),),
    "SLEEP": (call("bash", command="setsid sleep 987 & sleep 986", description="wait"), say("never said")),
    "TALK": (say("one two three four", hold=True),),
    "DENIED": (fail(401, "Incorrect API key provided"),),
    "ASK": (call("bash", command="touch allowed.txt", description="touch"), say("finished asking")),
}


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(SCRIPT) as scripted:
        yield scripted


@pytest.fixture
def laptop(server: FakeControlPlane, model: ModelServer, shop: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker with the real OpenCode and the shop."""
    environment = opencode_environment(tmp_path, model.base_url)
    with WorkerProcess(server.url, tmp_path, "--codebases", str(shop), environment=environment) as worker:
        yield worker


def run(server: FakeControlPlane, shop: Path, prompt: str, **body: object) -> FakeTask:
    return server.wait_ended(server.add_codebase_task(prompt, str(shop), **body), seconds=60)


def agents_of(worker: WorkerProcess) -> list[int]:
    """Every process that any attempt of this worker has started."""
    return marked_processes(f"CODETETHER_AGENT_{(worker.state_dir / 'instance').read_text().strip()}_")


def test_it_edits_a_repository_and_resumes_the_session(
    server: FakeControlPlane, model: ModelServer, laptop: WorkerProcess, shop: Path
) -> None:
    task = run(server, shop, "RENAME the shop", model=MODEL_ID)
    assert (task.status, task.release["result"]) == ("completed", "It is a store now.")
    assert (shop / "README.md").read_text() == "# store\n"
    assert git(shop, "log", "-1", "--format=%s").strip() == "renamed"
    assert [use["tool"] for use in task.events("tool_use")] == ["edit", "bash"]
    assert [result["status"] for result in task.events("tool_result")] == ["completed", "completed"]
    changes = {change["path"]: change for change in task.events("file_change")}
    assert changes["README.md"]["diff"].endswith("-# shop\n+# store\n")
    assert changes["log.txt"]["action"] == "created"  # by a shell command
    assert {"type": "reasoning", "content": "the owner wants a store"} in task.events("output")
    used = {"input_tokens": 300, "output_tokens": 60, "cached_input_tokens": 30}
    assert used.items() <= task.release["usage"].items()
    assert task.release["usage"]["cost_usd"] > 0

    session_id = task.release["session_id"]
    more = run(server, shop, "WHAT did you do?", session_id=session_id)
    assert (more.release["result"], more.release["session_id"]) == ("I renamed the shop.", session_id)
    assert more.text == "I renamed the shop. "  # and nothing of the first turn again
    assert more.release["usage"]["input_tokens"] == 100
    assert any("RENAME" in str(message["content"]) for message in model.asked[-1].conversation)
    assert agents_of(laptop) == []


def test_a_cancel_in_the_middle_leaves_no_process(server: FakeControlPlane, laptop: WorkerProcess, shop: Path) -> None:
    task = server.add_codebase_task("SLEEP for long", str(shop))
    server.wait_for(lambda: task.events("tool_use"), seconds=60)
    eventually(lambda: len(agents_of(laptop)) >= 3)  # OpenCode, its shell, the sleeps
    server.cancel(task)
    server.wait_ended(task)
    assert task.status == "cancelled"
    assert agents_of(laptop) == []


def test_an_interrupt_keeps_what_was_said_and_the_session(
    server: FakeControlPlane, model: ModelServer, laptop: WorkerProcess, shop: Path
) -> None:
    task = server.add_codebase_task("TALK to me", str(shop))
    server.wait_for(lambda: task.text.startswith("one"), seconds=60)
    assert model.held.is_set()
    server.say(task, "", kind="interrupt")
    server.wait_ended(task)
    assert task.release["error_code"] == "interrupted"
    assert task.release["result"].startswith("one")
    more = run(server, shop, "WHAT did you do?", session_id=task.release["session_id"])
    assert more.status == "completed"


def test_a_refused_key_fails_with_the_provider_s_words(
    server: FakeControlPlane, laptop: WorkerProcess, shop: Path
) -> None:
    task = run(server, shop, "DENIED")
    assert (task.status, task.release["error"]) == ("failed", "Incorrect API key provided")


def test_a_question_of_the_agent_is_answered_by_a_person(
    server: FakeControlPlane, laptop: WorkerProcess, shop: Path
) -> None:
    server.wait_for(lambda: server.codebases, seconds=30)
    next(iter(server.codebases.values()))["agent_config"] = {"auto_approve": False}
    task = server.add_codebase_task("ASK before you touch", str(shop))
    [question] = server.wait_for(lambda: task.events("input_required"), seconds=60)
    assert "touch allowed.txt" in question["question"]
    assert not (shop / "allowed.txt").exists()
    allow = next(option for option in question["options"] if option["kind"] == "allow_once")
    server.say(task, "", kind="input", option_id=allow["id"], call_id=question["call_id"])
    server.wait_ended(task, seconds=60)
    assert (task.status, task.release["result"]) == ("completed", "finished asking")
    assert (shop / "allowed.txt").exists()


def test_a_plan_may_not_edit(server: FakeControlPlane, model: ModelServer, laptop: WorkerProcess, shop: Path) -> None:
    task = run(server, shop, "RENAME the shop", agent_type="explore")
    assert (shop / "README.md").read_text() == "# shop\n"
    assert task.events("tool_result")[0]["status"] == "failed"


def test_no_models_are_invented(server: FakeControlPlane, tmp_path: Path, model: ModelServer, shop: Path) -> None:
    environment = opencode_environment(tmp_path, model.base_url) | {"OPENCODE_CONFIG_CONTENT": "{}"}
    with WorkerProcess(server.url, tmp_path, "--codebases", str(shop), environment=environment):
        server.wait_for(lambda: server.workers, seconds=60)
        [worker] = server.workers.values()
        assert (worker["capabilities"], worker["models"]) == (["builtin", "opencode"], [])
        assert run(server, shop, "2 + 3").release["result"] == "5"
