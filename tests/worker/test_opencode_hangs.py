"""Where the real OpenCode would hang for ever: sub-agents that ask, providers that answer nothing good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_worker.processes import marked_processes
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.fakes.model_server import ModelServer, Step, call, fail, say
from tests.fakes.opencode_program import opencode_environment
from tests.fakes.worker_process import WorkerProcess
from tests.worker.agents_bench import MARKS
from tests.worker.conftest import make_repository

pytestmark = [pytest.mark.opencode, *MARKS]

WATCHDOG = 25.0  # starting alone takes ten seconds on a busy machine
SCRIPT: dict[str, tuple[Step, ...]] = {
    "NEST": (call("task", description="do", prompt="SUB do it", subagent_type="general"), say("all done")),
    "SUB": (call("bash", command="touch sub.txt", description="touch"), say("sub done")),
    "LIMIT": (fail(429, "Rate limit reached for gpt-4o. Please try again in 120s."),),
    "BROKEN": (fail(500, "The server had an error"),),
    "TALK": (say("one two three", hold=True),),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ada")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeControlPlane]:
    with FakeControlPlane() as plane:
        yield plane


@pytest.fixture(scope="module")
def laptop(server: FakeControlPlane, home: Path) -> Iterator[WorkerProcess]:
    with ModelServer(SCRIPT) as model:
        environment = opencode_environment(home, model.base_url)
        environment |= {"A2A_WORKER_IDLE_LIMIT": str(WATCHDOG), "A2A_WORKER_STOP_GRACE": "2"}
        shop = make_repository(home / "shop")
        with WorkerProcess(server.url, home, "--codebases", str(shop), environment=environment) as worker:
            server.wait_for(lambda: server.codebases, seconds=120)
            yield worker


def in_shop(server: FakeControlPlane, prompt: str, **config: object) -> FakeTask:
    codebase = next(iter(server.codebases.values()))
    with server.change():
        codebase["agent_config"] = config
    return server.add_task(prompt, queue=codebase["id"])


def left_by(worker: WorkerProcess) -> list[int]:
    return marked_processes(f"CODETETHER_AGENT_{(worker.state_dir / 'instance').read_text().strip()}_")


def test_what_a_sub_agent_asks_is_answered_by_a_person(
    server: FakeControlPlane, laptop: WorkerProcess, home: Path
) -> None:
    task = in_shop(server, "NEST", auto_approve=False)
    [question] = server.wait_for(lambda: task.events("input_required"), seconds=120)
    assert question["question"] == "May the agent do this? execute: touch sub.txt (sub-agent)"
    server.say(task, "yes", kind="input", call_id=question["call_id"])
    server.wait_ended(task, seconds=120)
    assert (task.status, task.release["result"]) == ("completed", "all done")
    assert (home / "shop" / "sub.txt").exists()


def test_a_rule_holds_for_sub_agents_too(server: FakeControlPlane, laptop: WorkerProcess, home: Path) -> None:
    (home / "shop" / "sub.txt").unlink(missing_ok=True)
    task = server.wait_ended(in_shop(server, "NEST", deny=["bash:touch *"]), seconds=120)
    assert (task.status, task.release["error_code"]) == ("failed", "permission_denied")
    assert "touch sub.txt (rule bash:touch *)" in task.release["error"]
    assert not (home / "shop" / "sub.txt").exists()


def test_a_provider_s_limit_puts_the_task_off(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = in_shop(server, "LIMIT")
    server.wait_for(lambda: task.releases, seconds=120)
    assert (task.status, task.release["error_code"]) == ("pending", "quota")
    assert 100 <= task.release["retry_after"] <= 130
    assert left_by(laptop) == []


@pytest.mark.minutes
@pytest.mark.parametrize(("prompt", "told"), [("BROKEN", "it last reported: "), ("TALK", "no sign of life for 25")])
def test_a_provider_that_does_not_come_back(
    server: FakeControlPlane, laptop: WorkerProcess, prompt: str, told: str
) -> None:
    task = in_shop(server, prompt)
    server.wait_for(lambda: task.events("session"), seconds=120)
    server.wait_for(lambda: task.releases, seconds=60)
    assert (task.status, task.release["error_code"]) == ("failed", "agent_idle")
    assert told in task.release["error"]
    assert left_by(laptop) == []
