"""What people can do to a running task, and what a signal does to the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codetether_worker import __version__
from tests.fakes.control_plane import TOKEN, FakeControlPlane, FakeTask
from tests.worker.conftest import StartWorker, eventually, is_running


def child_of(server: FakeControlPlane, task: FakeTask) -> int:
    """The process that the scripted agent has left in a session of its own."""
    server.wait_for(lambda: task.text.removeprefix("child ").isdigit())
    return int(task.text.removeprefix("child "))


@pytest.mark.parametrize("behaviour", ["spawn", "stubborn"])
def test_a_cancel_ends_the_agent_and_all_its_children(
    server: FakeControlPlane, start_worker: StartWorker, behaviour: str
) -> None:
    start_worker(A2A_WORKER_STOP_GRACE="0.3")
    task = server.add_task(behaviour)
    child = child_of(server, task)
    server.cancel(task, "not needed any more")
    server.wait_ended(task)
    assert (task.status, task.release["error"]) == ("cancelled", "not needed any more")
    eventually(lambda: not is_running(child), seconds=2)


def test_a_cancel_is_heard_by_heartbeat_alone(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.stream_status = 503
    start_worker()
    task = server.add_task("silent")
    server.wait_for(lambda: task.events("session"))
    server.cancel(task)
    assert server.wait_ended(task).status == "cancelled"


def test_without_a_stream_tasks_are_found_by_polling(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.stream_status = 404
    start_worker(A2A_POLL_INTERVAL="0.1")
    server.wait_for(lambda: server.requests.count(("POST", "/v1/worker/tasks/claim")) > 3)
    assert server.wait_ended(server.add_task("echo polled")).text == "polled "


def test_with_a_stream_a_task_is_claimed_at_once(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker(A2A_POLL_INTERVAL="600")
    server.wait_for(lambda: server.streams_open)
    assert server.wait_ended(server.add_task("echo pushed")).status == "completed"


def test_an_agent_whose_lease_ran_out_is_stopped(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.lease_seconds = 2.0
    start_worker()
    task = server.add_task("spawn")
    child = child_of(server, task)
    server.stop()
    eventually(lambda: not is_running(child))
    server.start()
    server.wait_for(lambda: task.releases)
    assert (task.release["error_code"], task.release["retry"]) == ("lease_lost", True)


def test_a_heartbeat_keeps_a_lease_shorter_than_the_task(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    server.lease_seconds = 1.5
    start_worker()
    task = server.add_task(f"wait {tmp_path}/go")
    server.wait_for(lambda: task.text == "waiting")
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 8)
    (tmp_path / "go").touch()
    assert server.wait_ended(task).status == "completed"


def test_a_question_waits_for_a_person_and_takes_the_answer(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop), A2A_WORKER_IDLE_LIMIT="0.5")
    server.wait_for(lambda: server.codebases)
    next(iter(server.codebases.values()))["agent_config"] = {"auto_approve": False}
    task = server.add_codebase_task("ask", str(shop))
    [question] = server.wait_for(lambda: task.events("input_required"))
    assert "rm -rf build" in question["question"]
    assert [option["kind"] for option in question["options"]] == ["allow_once", "allow_always", "reject_once"]
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 3)  # longer than the idle limit
    server.say(task, "yes", kind="input")
    server.wait_ended(task)
    assert '"optionId": "o-allow_once"' in task.text


def test_permission_is_given_at_once_where_the_codebase_allows_it(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker()
    task = server.wait_ended(server.add_task("ask"))
    assert '"optionId": "o-allow_once"' in task.text
    assert task.events("input_required") == []


def test_a_message_during_a_turn_is_the_next_prompt_of_the_same_session(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    task = server.add_task(f"wait {tmp_path}/go")
    server.wait_for(lambda: task.text == "waiting")
    server.say(task, "echo and more")
    server.wait_for(lambda: any(path.endswith("heartbeat") for _, path in server.requests[-1:]))
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 1)
    assert task.message_seq == 0  # not acted on yet
    (tmp_path / "go").touch()
    server.wait_ended(task)
    assert task.text == "waitingand more "
    assert len(task.events("session")) == 1


def test_an_interrupt_ends_the_turn_and_keeps_the_session(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.add_task("silent")
    server.wait_for(lambda: task.events("session"))
    server.say(task, "", kind="interrupt")
    server.wait_ended(task)
    assert (task.status, task.release["error_code"]) == ("cancelled", "interrupted")
    assert "interrupted by Ada" in task.release["result"]
    assert task.release["session_id"] == task.events("session")[0]["session_id"]


def test_an_interrupt_with_a_text_goes_on_with_that(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.add_task("silent")
    server.wait_for(lambda: task.events("session"))
    server.say(task, "echo instead", kind="interrupt")
    assert server.wait_ended(task).release["result"] == "instead"


def test_an_interrupt_that_comes_before_the_turn_is_not_lost(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    task = server.add_task("silent")
    server.say(task, "", kind="interrupt")
    start_worker()
    assert server.wait_ended(task).release["error_code"] == "interrupted"


def test_sigterm_gives_running_tasks_back_without_burning_an_attempt(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker()
    task = server.add_task("spawn")
    child = child_of(server, task)
    assert worker.stop() == 0
    assert (task.release["status"], task.release["retry_after"]) == ("pending", 0)
    assert task.status == "pending"
    eventually(lambda: not is_running(child), seconds=2)
    assert len(server.unregistered) == 1


def test_sigterm_lets_a_task_end_within_the_grace(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(A2A_WORKER_DRAIN_GRACE="20")
    task = server.add_task(f"wait {tmp_path}/go")
    server.wait_for(lambda: task.text == "waiting")
    worker.signal(signal.SIGTERM)
    eventually(lambda: "no new tasks" in worker.log)
    later = server.add_task("echo later")
    server.wait_for(lambda: server.heartbeats[-1]["status"] == "draining")  # at once, not with the next beat
    (tmp_path / "go").touch()
    assert worker.wait(seconds=15) == 0
    assert (task.status, later.status) == ("completed", "pending")


def test_sigterm_leaves_an_open_question_open(server: FakeControlPlane, start_worker: StartWorker, shop: Path) -> None:
    worker = start_worker("--codebases", str(shop))
    server.wait_for(lambda: server.codebases)
    next(iter(server.codebases.values()))["agent_config"] = {"auto_approve": False}
    task = server.add_codebase_task("ask", str(shop))
    server.wait_for(lambda: task.events("input_required"))
    assert worker.stop() == 0
    assert (task.release["status"], task.release["error_code"]) == ("input_required", "question_left")
    assert task.release["session_id"] == task.events("session")[0]["session_id"]


def test_a_second_signal_stops_now_and_leaves_the_rest_for_the_next_run(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(A2A_WORKER_DRAIN_GRACE="600")
    task = server.add_task("stubborn")
    child = child_of(server, task)
    server.stop()
    worker.signal(signal.SIGINT)
    eventually(lambda: "no new tasks" in worker.log)
    worker.signal(signal.SIGINT)
    assert worker.wait(seconds=10) == 0
    eventually(lambda: not is_running(child), seconds=2)
    server.start()
    worker.start()
    server.wait_for(lambda: task.releases)
    assert task.releases[0]["status"] == "pending"


def test_a_server_that_asks_to_drain_gets_no_more_claims(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.drain = True
    worker = start_worker()
    eventually(lambda: "asks this worker to drain" in worker.log)
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 1)  # a claim that was under way is over
    task = server.add_task("echo hi")
    beats = len(server.heartbeats)
    server.wait_for(lambda: len(server.heartbeats) > beats + 2)
    assert task.attempt == 0
    server.drain = False
    server.wait_ended(task)


def test_a_worker_that_was_forgotten_registers_again(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker("--worker-id", "w-1")
    server.wait_for(lambda: server.heartbeats)
    with server.change():
        server.workers.clear()
    server.wait_for(lambda: "w-1" in server.workers)


def test_a_wrong_token_is_one_clear_line(server: FakeControlPlane, start_worker: StartWorker) -> None:
    worker = start_worker(A2A_TOKEN="wrong-token-123")
    assert worker.wait(seconds=10) == 1
    assert worker.log.splitlines()[-1].startswith("codetether-worker: no valid token (HTTP 401")
    assert "wrong-token-123" not in worker.log


def test_two_workers_do_not_share_a_state_directory(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    server.wait_for(lambda: server.workers)
    second = start_worker()
    assert second.wait(seconds=10) == 1
    assert "another worker is running" in second.log


def test_the_agent_does_not_get_the_worker_token(
    server: FakeControlPlane, start_worker: StartWorker, scripted_agent: Path
) -> None:
    start_worker()
    task = server.add_task("spawn")
    environ = Path(f"/proc/{child_of(server, task)}/environ").read_bytes()
    assert b"CODETETHER_AGENT_" in environ
    assert b"A2A_TOKEN" not in environ


def test_the_command_itself_runs_tasks(server: FakeControlPlane, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "A2A_TOKEN": TOKEN}
    command = [sys.executable, "-m", "codetether_worker", "--server-url", server.url, "--agent-name", "till"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as worker:
        task = server.wait_ended(server.add_task("6 * 7", metadata={"agent": "builtin"}))
        worker.send_signal(signal.SIGINT)
        assert worker.wait(15) == 0
    assert task.release["result"] == "42"
    assert (tmp_path / ".local" / "state" / "codetether-worker").is_dir()


def test_version() -> None:
    command = [sys.executable, "-m", "codetether_worker", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"codetether-worker {__version__}\n"
