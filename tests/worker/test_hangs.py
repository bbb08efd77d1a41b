"""Twelve ways in which an agent, its model or its machine hangs or dies; each comes to an end that tells the truth."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from codetether_worker import lease
from codetether_worker.processes import marked_processes
from tests.fakes import bad_agent
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_agent, make_repository

WATCHDOG = 2.0
SETTINGS = {
    "A2A_WORKER_IDLE_LIMIT": str(WATCHDOG),
    "A2A_WORKER_QUESTION_LIMIT": str(WATCHDOG),
    "A2A_WORKER_STOP_GRACE": "0.3",
    "A2A_WORKER_OUTPUT_LIMIT": "1",
    "A2A_WORKER_MAX_COST_USD": "1.5",
    "A2A_WORKER_CONCURRENCY": "4",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ada")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeControlPlane]:
    with FakeControlPlane() as plane:
        yield plane


@pytest.fixture
def alone() -> Iterator[FakeControlPlane]:
    """A control plane that no other worker knows."""
    with FakeControlPlane() as plane:
        yield plane


@pytest.fixture(scope="module")
def laptop(server: FakeControlPlane, home: Path) -> Iterator[WorkerProcess]:
    """A worker with little patience and an agent that misbehaves."""
    environment = {**SETTINGS, "OPENCODE_BIN": str(make_agent(home, bad_agent.__file__))}
    shop = make_repository(home / "shop")
    with WorkerProcess(server.url, home, "--codebases", str(shop), environment=environment) as worker:
        server.wait_for(lambda: server.codebases, seconds=30)
        yield worker


def agents_of(worker: WorkerProcess) -> list[int]:
    """Every process that any attempt of this worker has started."""
    return marked_processes(f"CODETETHER_AGENT_{(worker.state_dir / 'instance').read_text().strip()}_")


def in_shop(server: FakeControlPlane, prompt: str, **config: object) -> FakeTask:
    codebase = next(iter(server.codebases.values()))
    with server.change():
        codebase["agent_config"] = {"parallel": True, **config}
    return server.add_task(prompt, queue=codebase["id"])


def over(server: FakeControlPlane, task: FakeTask, *, began: float | None = None) -> FakeTask:
    """The task once its attempt is over: within the watchdog's time and five seconds."""
    left = (began or time.monotonic()) + WATCHDOG + 5 - time.monotonic()
    server.wait_for(lambda: task.releases, seconds=left, what=f"the end of {task.body['prompt']}")
    return task


def ended(server: FakeControlPlane, worker: WorkerProcess, task: FakeTask) -> FakeTask:
    """The same, with no process left."""
    over(server, task)
    assert agents_of(worker) == []
    return task


def running(server: FakeControlPlane, task: FakeTask) -> FakeTask:
    server.wait_for(lambda: task.events("session"), seconds=30)
    return task


def test_a_permission_that_nobody_gives_is_left_open_and_taken_up_after_the_answer(
    server: FakeControlPlane, laptop: WorkerProcess
) -> None:
    task = in_shop(server, "ask", auto_approve=False)
    server.wait_for(lambda: task.events("input_required"), seconds=30)
    ended(server, laptop, task)
    assert (task.status, task.release["error_code"]) == ("input_required", "question_left")
    asked = task.events("input_required")[0]
    answer = {"seq": 1, "question": asked["question"], "options": asked["options"], "message": "yes", "by": "Ada"}
    again = server.add_task("ask", queue=task.queue, session_id=task.release["session_id"], answer=answer)
    server.wait_ended(again, seconds=30)
    assert (again.release["result"], again.events("input_required")) == ("o-allow_once", [])
    assert again.release["message_seq"] == 1


def test_a_permission_of_a_sub_agent_is_asked_for_like_any_other(
    server: FakeControlPlane, laptop: WorkerProcess
) -> None:
    task = in_shop(server, "nested", auto_approve=False)
    [question] = server.wait_for(lambda: task.events("input_required"), seconds=30)
    server.say(task, "no", kind="input", call_id=question["call_id"])
    ended(server, laptop, task)
    assert (task.status, task.release["result"]) == ("completed", "o-reject_once")


@pytest.fixture(scope="module")
def stuck(server: FakeControlPlane, laptop: WorkerProcess) -> Mapping[str, FakeTask]:
    """Agents that get on no more, all at once, by what they do; each has come to its end in time."""
    tasks = {prompt: in_shop(server, prompt) for prompt in ("silent", "retry", "deaf", "fork")}
    for task in tasks.values():
        running(server, task)
    began = time.monotonic()
    for task in tasks.values():
        over(server, task, began=began)
    return tasks


def test_a_model_that_says_nothing(stuck: Mapping[str, FakeTask]) -> None:
    task = stuck["silent"]
    assert (task.status, task.release["error_code"]) == ("failed", "agent_idle")
    assert task.release["error"] == "the agent gave no sign of life for 2 seconds"


def test_trying_again_for_ever_is_no_sign_of_life(stuck: Mapping[str, FakeTask]) -> None:
    assert (stuck["retry"].status, stuck["retry"].release["error_code"]) == ("failed", "agent_idle")


@pytest.mark.parametrize("what", ["deaf", "fork"])
def test_what_an_agent_has_started_ends_with_it(
    stuck: Mapping[str, FakeTask], laptop: WorkerProcess, what: str
) -> None:
    """A tool that ignores SIGTERM, and a grandchild in a session of its own whose parents are gone."""
    assert (stuck[what].text, stuck[what].release["error_code"]) == ("started", "agent_idle")
    assert agents_of(laptop) == []


def test_output_without_end_is_cut(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = ended(server, laptop, running(server, in_shop(server, "flood")))
    assert (task.status, task.release["error_code"]) == ("failed", "output_limit")
    assert task.release["error"].startswith("the agent reported more than 1 MB")
    assert task.events("status")[-1]["message"].startswith("The report is cut here")


def test_a_line_of_200_megabytes(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = ended(server, laptop, running(server, in_shop(server, "line 200")))
    assert (task.status, task.release["error_code"]) == ("failed", "agent_line_too_long")
    assert "longer than 64 MB" in task.release["error"]


def test_what_costs_too_much_is_stopped(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = running(server, in_shop(server, "spend", max_cost_usd=1))
    server.wait_for(lambda: task.releases, seconds=20)
    assert (task.status, task.release["error_code"]) == ("failed", "cost_limit")
    assert task.release["error"].endswith("its cost limit is $1.0000")
    assert task.release["usage"]["cost_usd"] > 1


def test_the_limits_of_a_task_lower_those_of_its_codebase(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = in_shop(server, "spawn", max_minutes=60)
    task.body["metadata"] = {"max_minutes": 0.005}
    server.wait_for(lambda: task.releases, seconds=20)
    assert (task.status, task.release["error_code"]) == ("failed", "time_limit")
    assert task.release["error"].endswith("its time limit is 0.005 minutes")
    assert agents_of(laptop) == []


def test_another_model_goes_on_when_a_limit_is_reached(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = in_shop(server, "limit 429 Too Many Requests", default_model="one", fallback_models=["none", "two"])
    server.wait_ended(task, seconds=30)
    assert (task.status, task.release["result"]) == ("completed", "the other model did it")
    assert [status["message"] for status in task.events("status")] == [
        "one cannot be used now (429 Too Many Requests); going on with none.",
        "none cannot be used now (the model none is not available on this worker (available: scripted/one, "
        "scripted/two)); going on with two.",
    ]
    assert len({session["session_id"] for session in task.events("session")}) == 1


def test_a_limit_of_the_provider_puts_the_task_off(server: FakeControlPlane, laptop: WorkerProcess) -> None:
    task = in_shop(server, "limit usage limit reached, try again in 2 hours", fallback_models=[])
    server.wait_for(lambda: task.releases, seconds=30)
    assert (task.status, task.release["error_code"]) == ("pending", "quota")
    assert 7200 <= task.release["retry_after"] < 7210
    assert "try again in 2 hours" in task.release["error"]
    assert task.release["session_id"]


def test_an_edit_that_is_asked_for_is_shown(server: FakeControlPlane, laptop: WorkerProcess, home: Path) -> None:
    task = in_shop(server, "edit asked.txt", auto_approve=False)
    [question] = server.wait_for(lambda: task.events("input_required"), seconds=30)
    assert question["diff"] == f"--- /dev/null\n+++ {home}/shop/asked.txt\n@@ -0,0 +1 @@\n+new\n"
    server.say(task, "", kind="input", option_id="o-allow_once")
    assert server.wait_ended(task).status == "completed"


@pytest.mark.parametrize(
    ("config", "ending", "code"),
    [
        ({"auto_approve": False, "allow": ["edit:*.txt"]}, "completed", None),
        ({"auto_approve": True, "deny": ["edit:*.txt"]}, "failed", "permission_denied"),
        ({"auto_approve": False, "allow": ["edit"], "deny": ["*:*.txt"]}, "failed", "permission_denied"),
    ],
)
def test_rules_decide_without_a_person(
    server: FakeControlPlane,
    laptop: WorkerProcess,
    home: Path,
    config: dict[str, object],
    ending: str,
    code: str | None,
) -> None:
    (home / "shop" / "ruled.txt").unlink(missing_ok=True)
    task = server.wait_ended(in_shop(server, "edit ruled.txt", **config), seconds=30)
    assert (task.status, task.release["error_code"], task.events("input_required")) == (ending, code, [])
    assert (home / "shop" / "ruled.txt").exists() is (ending == "completed")


def test_a_full_disk_under_the_outbox(alone: FakeControlPlane, tmp_path: Path) -> None:
    environment = {**SETTINGS, "OPENCODE_BIN": str(make_agent(tmp_path, bad_agent.__file__))}
    with WorkerProcess(alone.url, tmp_path, environment=environment) as worker:
        alone.wait_for(lambda: alone.workers, seconds=30)
        _, most = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (150, most))
        task = alone.add_task(f"wait {tmp_path}/go")
        alone.wait_for(lambda: task.text == "waiting", seconds=30)
        (tmp_path / "go").touch()
        assert alone.wait_ended(task).status == "completed"
        assert any("cannot be written" in status["message"] for status in task.events("status"))


def test_a_home_that_cannot_be_written(alone: FakeControlPlane, tmp_path: Path) -> None:
    program = make_agent(tmp_path, bad_agent.__file__)
    environment = {**SETTINGS, "OPENCODE_BIN": str(program), "HOME": "/proc/nowhere"}
    with WorkerProcess(alone.url, tmp_path, environment=environment) as worker:
        task = alone.add_task("echo hi")
        alone.wait_for(lambda: task.releases, seconds=30)
        assert (task.releases[0]["status"], task.releases[0]["error_code"]) == ("failed", "agent_home")
        assert "HOME (/proc/nowhere) cannot be written" in task.releases[0]["error"]
        assert agents_of(worker) == []


def test_an_agent_program_that_is_gone_when_it_is_needed(alone: FakeControlPlane, tmp_path: Path) -> None:
    program = make_agent(tmp_path, bad_agent.__file__)
    with WorkerProcess(alone.url, tmp_path, environment={**SETTINGS, "OPENCODE_BIN": str(program)}) as worker:
        running_task = running(alone, alone.add_task("spawn"))
        program.unlink()
        task = alone.add_task("echo hi")
        ended(alone, worker, running_task)
        alone.wait_for(lambda: task.releases, seconds=10)
        assert running_task.releases[0]["error_code"] == "agent_idle"
        assert (task.releases[0]["error_code"], task.releases[0]["retry"]) == ("agent_start", True)
        assert "opencode cannot be started" in task.releases[0]["error"]


def test_only_a_clock_that_nobody_sets_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    held = lease.Lease(60, sent_at=lease.now())
    before = held.remaining
    monkeypatch.setattr(time, "time", lambda: 0.0)  # somebody sets the clock back by decades
    assert before - 5 < held.remaining <= before
    clock = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", lambda _: clock + 3600)  # the machine has slept
    assert held.remaining < 0
