"""What survives when the server, the network or the worker goes away."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.control_plane import FakeControlPlane
from tests.worker.conftest import StartWorker, eventually, is_running


def test_events_and_finish_survive_a_server_restart(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    task = server.add_task(f"wait {tmp_path}/go")
    server.wait_for(lambda: task.text == "waiting")
    server.stop()
    (tmp_path / "go").touch()
    eventually(lambda: '"finish"' in outbox_text(worker.state_dir))
    server.start()
    server.wait_ended(task)
    assert task.status == "completed"
    assert task.kinds == ["session", "output", "usage"]
    eventually(lambda: not list((worker.state_dir / "outbox").iterdir()))


def test_many_events_arrive_once_and_in_order_across_restarts(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker()
    task = server.add_task("many 400")
    server.wait_for(lambda: task.client_seq > 50)
    server.stop()
    server.start()
    server.wait_ended(task)
    numbers = [use["args"]["number"] for use in task.events("tool_use")]
    assert numbers == list(range(400))


def test_a_lost_answer_does_not_double_events_or_finish(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.refuse_next("/events", 503, "overloaded", retry_after=0)
    server.refuse_next("/release", 502, "bad_gateway")
    start_worker()
    task = server.wait_ended(server.add_task("echo once"))
    assert (task.text, len(task.releases)) == ("once ", 1)


def test_retry_after_is_honoured(server: FakeControlPlane, start_worker: StartWorker) -> None:
    server.refuse_next("/register", 429, "slow_down", retry_after=1)
    worker = start_worker()
    server.wait_for(lambda: server.workers)
    waits = [line for line in worker.log.splitlines() if "next try in" in line]
    assert "next try in 1.0 s" in waits[0]


def test_a_killed_worker_delivers_its_outbox_and_reaps_its_agents_after_the_restart(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    done = server.add_task(f"wait {tmp_path}/go")
    running = server.add_task("spawn")
    server.wait_for(lambda: done.text == "waiting" and running.text.startswith("child "))
    child = int(running.text.removeprefix("child "))
    server.stop()
    (tmp_path / "go").touch()
    eventually(lambda: '"finish"' in outbox_text(worker.state_dir))
    worker.kill()
    assert is_running(child)
    server.start()
    worker.start()
    server.wait_ended(done)
    server.wait_for(lambda: running.releases)
    assert (done.status, done.attempt) == ("completed", 1)
    assert running.releases[0]["error_code"] == "worker_restarted"
    assert running.releases[0]["retry"] is True
    eventually(lambda: not is_running(child), seconds=2)


def test_a_stale_claim_stops_the_agent_and_drops_its_outbox(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    server.lease_seconds = 2.0
    worker = start_worker()
    task = server.add_task("spawn")
    server.wait_for(lambda: task.text)
    child = int(task.text.removeprefix("child "))
    server.give_to_another(task)
    known = list(task.log)
    eventually(lambda: not is_running(child))
    eventually(lambda: not list((worker.state_dir / "outbox").iterdir()))
    assert (task.log, task.releases) == (known, [])


def test_events_for_a_stale_claim_are_refused_once_and_not_sent_again(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    task = server.add_task(f"wait {tmp_path}/go")
    server.wait_for(lambda: task.text == "waiting")
    server.give_to_another(task)
    known = list(task.log)
    (tmp_path / "go").touch()
    eventually(lambda: not list((worker.state_dir / "outbox").iterdir()))
    assert (task.log, task.releases) == (known, [])
    assert server.wait_ended(server.add_task("echo next")).status == "completed"


def outbox_text(state_dir: Path) -> str:
    return "".join(path.read_text() for path in (state_dir / "outbox").glob("*.jsonl"))
