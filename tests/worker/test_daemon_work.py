"""What a worker does with tasks: claim, run, report, release."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.control_plane import FakeControlPlane
from tests.worker.conftest import StartWorker, eventually


def test_a_task_is_claimed_reported_and_completed(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.add_codebase_task("write notes.txt hello", str(shop))
    server.wait_ended(task)
    assert task.status == "completed"
    assert task.release["result"] == "wrote notes.txt"
    assert task.kinds == ["session", "tool_use", "tool_result", "file_change", "output", "usage", "artifact"]
    assert task.events("file_change")[0]["action"] == "created"
    assert task.release["session_id"] == task.events("session")[0]["session_id"]


def test_a_file_written_by_a_shell_command_is_reported_too(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("shell report.txt", str(shop)))
    assert [change["path"] for change in task.events("file_change")] == ["report.txt"]


def test_a_global_task_is_answered_by_the_agent_that_it_names(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker()
    task = server.wait_ended(server.add_task("Calculate 25 * 4", metadata={"agent": "builtin"}))
    assert (task.status, task.release["result"], task.text) == ("completed", "100", "100")


def test_registration_tells_the_programs_and_models_that_are_really_there(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebase", f"store:{shop}", "--agent-name", "reviewer", "--worker-id", "w-1")
    server.wait_for(lambda: server.workers.get("w-1", {}).get("codebases"))
    worker = server.workers["w-1"]
    assert worker["capabilities"] == ["builtin", "opencode"]
    assert [model["id"] for model in worker["models"]] == ["scripted/one", "scripted/two"]
    assert worker["agents"][0]["role"] == "reviewer"
    assert [c["name"] for c in server.codebases.values()] == ["store"]


def test_a_session_is_resumed_and_its_replay_is_not_reported_again(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    first = server.wait_ended(server.add_codebase_task("echo one", str(shop)))
    session_id = first.release["session_id"]
    second = server.wait_ended(server.add_codebase_task("echo two", str(shop), session_id=session_id))
    assert second.release["session_id"] == session_id
    assert second.text == "two "


def test_a_session_of_another_machine_is_replaced_and_said_so(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("echo hi", str(shop), session_id="ses_elsewhere"))
    assert task.status == "completed"
    assert "cannot be resumed here" in task.events("status")[0]["message"]
    assert task.release["session_id"] != "ses_elsewhere"


def test_a_session_that_cannot_be_forked_is_neither_gone_on_with_nor_replaced(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    first = server.wait_ended(server.add_codebase_task("echo one", str(shop)))
    asked = {"session_id": first.release["session_id"], "metadata": {"fork": True}}
    fork = server.wait_ended(server.add_codebase_task("write new.txt x", str(shop), **asked))
    assert (fork.status, fork.release["error_code"]) == ("failed", "fork_unsupported")
    assert (fork.release["session_id"], fork.events("session")) == (None, [])
    assert not (shop / "new.txt").exists()


def test_a_program_without_a_reading_mode_does_not_plan(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("write new.txt x", str(shop), agent_type="plan"))
    assert (task.status, task.release["error_code"]) == ("failed", "mode_unavailable")
    assert not (shop / "new.txt").exists()


def test_two_tasks_never_share_a_working_tree(server: FakeControlPlane, start_worker: StartWorker, shop: Path) -> None:
    start_worker("--codebases", str(shop), "--concurrency", "3")
    first = server.add_codebase_task(f"wait {shop}/go", str(shop))
    server.wait_for(lambda: first.text == "waiting")
    second = server.add_codebase_task("echo second", str(shop))
    elsewhere = server.wait_ended(server.add_task("echo elsewhere"))
    assert (elsewhere.status, second.status, second.attempt) == ("completed", "pending", 0)
    (shop / "go").touch()
    server.wait_ended(second)
    assert first.status == "completed"


def test_tasks_of_one_codebase_run_in_order_without_being_given_back(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop), "--concurrency", "4")
    server.wait_for(lambda: server.workers)
    tasks = [server.add_codebase_task(f"echo {number}", str(shop)) for number in range(4)]
    for task in tasks:
        server.wait_ended(task)
    assert [task.attempt for task in tasks] == [1, 1, 1, 1]
    assert sorted(tasks, key=lambda task: task.log[0]["at"]) == tasks


def test_a_model_may_be_named_without_its_provider(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    assert server.wait_ended(server.add_task("echo hi", model="two")).status == "completed"


def test_a_codebase_that_allows_it_runs_tasks_in_parallel(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop), "--concurrency", "2")
    server.wait_for(lambda: server.codebases)
    next(iter(server.codebases.values()))["agent_config"] = {"parallel": True}
    tasks = [server.add_codebase_task(f"wait {shop}/go", str(shop)) for _ in range(2)]
    server.wait_for(lambda: all(task.text == "waiting" for task in tasks))
    (shop / "go").touch()
    for task in tasks:
        assert server.wait_ended(task).status == "completed"


def test_concurrency_is_the_number_of_tasks_at_once(
    server: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    tasks = [server.add_task(f"wait {tmp_path}/go") for _ in range(3)]
    start_worker("--concurrency", "2")
    server.wait_for(lambda: sum(task.text == "waiting" for task in tasks) == 2)
    assert sorted(task.attempt for task in tasks) == [0, 1, 1]
    (tmp_path / "go").touch()
    for task in tasks:
        server.wait_ended(task)


def test_an_error_of_the_agent_is_the_error_of_the_task(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.wait_ended(server.add_task("fail the key is wrong"))
    assert (task.status, task.release["error"]) == ("failed", "the key is wrong")


def test_an_agent_that_dies_gives_another_attempt_and_its_last_words(
    server: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(OPENAI_API_KEY="sk-very-secret-value")
    task = server.add_task("crash out of luck with sk-very-secret-value")
    server.wait_for(lambda: task.releases)
    release = task.releases[0]
    assert (release["status"], release["retry"], release["error_code"]) == ("failed", True, "agent_crashed")
    assert "out of luck with ***" in release["error"]


def test_an_unknown_model_fails_with_the_ones_there_are(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.wait_ended(server.add_task("echo hi", model="scripted/three"))
    assert task.status == "failed"
    assert "scripted/one, scripted/two" in task.release["error"]


def test_a_task_for_a_program_that_is_not_here_is_declined(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    task = server.add_task("hello", metadata={"agent": "claude"})
    server.wait_for(lambda: task.declined_by)
    assert (task.status, task.release["retry_after"]) == ("pending", 0)
    assert task.kinds == []


def test_a_silent_agent_is_stopped_by_the_watchdog(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker(A2A_WORKER_IDLE_LIMIT="0.3")
    task = server.wait_ended(server.add_task("silent"))
    assert (task.status, task.release["error_code"]) == ("failed", "agent_idle")


def test_an_agent_that_cannot_be_understood_is_stopped_with_the_reason(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    start_worker("--codebases", str(shop))
    task = server.wait_ended(server.add_codebase_task("garble", str(shop)))
    assert (task.status, task.release["error_code"]) == ("failed", "agent_protocol")
    assert "cannot translate (ValueError" in task.release["error"]


def test_a_registered_path_is_confirmed_and_remembered(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path
) -> None:
    worker = start_worker()
    metadata = {"name": "shop", "path": str(shop), "codebase_id": "cb-7"}
    task = server.add_task("", queue="__pending__", agent_type="register_codebase", metadata=metadata)
    assert server.wait_ended(task).status == "completed"
    assert server.codebases["cb-7"]["path"] == str(shop)
    assert server.wait_ended(server.add_task("echo hi", queue="cb-7")).status == "completed"
    worker.stop()
    worker.start()
    eventually(lambda: any(w["codebases"] == ["cb-7"] for w in server.workers.values()))


def test_a_registered_path_that_is_not_here_is_declined(server: FakeControlPlane, start_worker: StartWorker) -> None:
    start_worker()
    metadata = {"name": "ghost", "path": "/no/such/folder", "codebase_id": "cb-8"}
    task = server.add_task("", queue="__pending__", agent_type="register_codebase", metadata=metadata)
    server.wait_for(lambda: task.declined_by)
    assert task.release["status"] == "pending"
    assert "cb-8" not in server.codebases


def test_a_task_without_a_codebase_can_be_continued(server: FakeControlPlane, start_worker: StartWorker) -> None:
    worker = start_worker()
    first = server.wait_ended(server.add_task("shell kept.txt"))
    second = server.wait_ended(server.add_task("echo on", session_id=first.release["session_id"]))
    assert second.release["session_id"] == first.release["session_id"]
    assert (worker.state_dir / "global" / "kept.txt").exists()
    assert list((worker.state_dir / "scratch").iterdir()) == []
