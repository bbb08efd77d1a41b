"""The real OpenCode program, on a real repository, with a scripted model on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_worker.discovery import list_models
from codetether_worker.processes import marked_processes
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.fakes.model_server import ModelServer, Step, call, fail, say
from tests.fakes.opencode_program import MODEL_ID, SKIP_VARIABLE, opencode_environment
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import eventually, git, make_repository

pytestmark = [
    pytest.mark.opencode,
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1"),
    pytest.mark.timeout(400),
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


REPOSITORIES = ("shop", "bakery", "library", "cinema", "garage", "museum")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ada")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(SCRIPT) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def server() -> Iterator[FakeControlPlane]:
    with FakeControlPlane() as plane:
        yield plane


@pytest.fixture(scope="module")
def laptop(server: FakeControlPlane, model: ModelServer, home: Path) -> Iterator[WorkerProcess]:
    """A worker with the real OpenCode; it starts once, since OpenCode takes seconds to list its models."""
    paths = ",".join(str(make_repository(home / name)) for name in REPOSITORIES)
    environment = opencode_environment(home, model.base_url)
    with WorkerProcess(server.url, home, "--codebases", paths, environment=environment) as worker:
        server.wait_for(lambda: len(server.codebases) == len(REPOSITORIES), seconds=120)
        yield worker


@pytest.fixture(scope="module")
def unused(home: Path) -> Iterator[Path]:
    return (home / name for name in REPOSITORIES)


@pytest.fixture
def shop(laptop: WorkerProcess, unused: Iterator[Path]) -> Path:
    """A repository that no other test has touched."""
    return next(unused)


def run(server: FakeControlPlane, shop: Path, prompt: str, **body: object) -> FakeTask:
    return server.wait_ended(server.add_codebase_task(prompt, str(shop), **body), seconds=120)


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
    server.wait_for(lambda: task.events("tool_use"), seconds=120)
    eventually(lambda: len(agents_of(laptop)) >= 3)  # OpenCode, its shell, the sleeps
    server.cancel(task)
    server.wait_ended(task)
    assert task.status == "cancelled"
    assert agents_of(laptop) == []


def test_an_interrupt_keeps_what_was_said_and_the_session(
    server: FakeControlPlane, model: ModelServer, laptop: WorkerProcess, shop: Path
) -> None:
    model.held.clear()
    task = server.add_codebase_task("TALK to me", str(shop))
    server.wait_for(lambda: task.text.startswith("one"), seconds=120)
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
    next(c for c in server.codebases.values() if c["path"] == str(shop))["agent_config"] = {"auto_approve": False}
    task = server.add_codebase_task("ASK before you touch", str(shop))
    [question] = server.wait_for(lambda: task.events("input_required"), seconds=120)
    assert "touch allowed.txt" in question["question"]
    assert not (shop / "allowed.txt").exists()
    allow = next(option for option in question["options"] if option["kind"] == "allow_once")
    server.say(task, "", kind="input", option_id=allow["id"], call_id=question["call_id"])
    server.wait_ended(task, seconds=120)
    assert (task.status, task.release["result"]) == ("completed", "finished asking")
    assert (shop / "allowed.txt").exists()


def test_a_plan_may_neither_edit_nor_run_commands(server: FakeControlPlane, laptop: WorkerProcess, shop: Path) -> None:
    task = run(server, shop, "RENAME the shop", agent_type="explore")
    assert task.status == "completed"  # the model is told that it has no such tools, and goes on
    assert git(shop, "status", "--short") == ""
    assert git(shop, "log", "-1", "--format=%s").strip() == "Open the shop"


async def offered(environment: dict[str, str]) -> list[str]:
    models = await list_models(Path(environment["OPENCODE_BIN"]), environment)
    return [model.id for model in models]


@pytest.mark.asyncio
async def test_the_models_are_those_that_there_are_credentials_for(tmp_path: Path) -> None:
    environment = opencode_environment(tmp_path, "http://127.0.0.1:9/v1")
    del environment["OPENCODE_CONFIG_CONTENT"], environment["OPENCODE_MODELS_PATH"]
    assert await offered(environment) == []
    auth = tmp_path / ".local" / "share" / "opencode" / "auth.json"
    auth.parent.mkdir(parents=True, exist_ok=True)
    auth.write_text('{"anthropic": {"type": "api", "key": "sk-x"}}')
    providers = {model.partition("/")[0] for model in await offered(environment)}
    assert providers == {"anthropic"}
    providers = {model.partition("/")[0] for model in await offered(environment | {"OPENAI_API_KEY": "sk-y"})}
    assert providers == {"anthropic", "openai"}
