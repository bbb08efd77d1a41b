"""The real Gemini CLI, on a real repository, with a scripted model on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.gemini_program import MODEL_ID, gemini_environment
from tests.fakes.model_server import ModelServer, Step, call, fail, say
from tests.worker.agents_bench import MARKS, PATIENCE, Bench, bench
from tests.worker.conftest import eventually, git

pytestmark = MARKS

EDIT = {"file_path": "README.md", "old_string": "# shop", "new_string": "# store", "instruction": "rename the shop"}
SCRIPT: dict[str, tuple[Step, ...]] = {
    "RENAME": (
        call("replace", "Renaming it.", **EDIT),
        call("run_shell_command", command="touch log.txt && git add --all", description="log"),
        say("It is a store now.", reasoning="the owner wants a store"),
    ),
    "WHAT": (say("I renamed the shop."),),
    "SLEEP": (call("run_shell_command", command="setsid sleep 987 & sleep 986", description="wait"), say("never said")),
    "TALK": (say("one two three four", hold=True),),
    "DENIED": (fail(401, "API key not valid"),),
    "ASK": (call("run_shell_command", command="touch allowed.txt", description="touch"), say("finished asking")),
    "LEAVE": (
        call("exit_plan_mode", plan_filename="plan.md"),
        call("run_shell_command", command="touch written.txt", description="touch"),
        call("write_file", file_path="written.txt", content="x"),
        say("I could not."),
    ),
}


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Ada's laptop; the worker starts once for all tests."""
    home = tmp_path_factory.mktemp("ada")
    with ModelServer(SCRIPT) as model, bench(home, model, gemini_environment(home, model.root_url)) as ready:
        yield ready


@pytest.fixture
def shop(ada: Bench) -> Path:
    return ada.repository()


def test_it_is_announced_with_the_models_that_there_are_credentials_for(ada: Bench) -> None:
    [told] = ada.server.workers.values()
    assert "gemini" in told["capabilities"]
    assert MODEL_ID in [model["id"] for model in told["models"]]


@pytest.mark.minutes
def test_it_edits_a_repository_and_resumes_the_session(ada: Bench, shop: Path) -> None:
    task = ada.run("RENAME the shop", shop, model=MODEL_ID)
    assert (task.status, task.release["result"]) == ("completed", "It is a store now."), task.release
    assert (shop / "README.md").read_text() == "# store\n"
    assert "log.txt" in git(shop, "status", "--short")
    assert [use["tool"] for use in task.events("tool_use")] == ["replace", "run_shell_command"]
    assert [result["status"] for result in task.events("tool_result")] == ["completed", "completed"]
    changes = {change["path"]: change for change in task.events("file_change")}
    assert changes["README.md"]["diff"].endswith("-# shop\n+# store\n")
    assert changes["log.txt"]["action"] == "created"  # by a shell command
    assert {ask.model for ask in ada.model.asked} == {"gemini-2.5-flash"}
    assert {"input_tokens": 330, "output_tokens": 60}.items() <= task.release["usage"].items()

    more = ada.run("WHAT did you do?", shop, session_id=task.release["session_id"])
    assert (more.release["result"], more.release["session_id"]) == ("I renamed the shop.", task.release["session_id"])
    assert more.text == "I renamed the shop. "  # and nothing of the first turn again
    assert any("RENAME" in str(content["parts"]) for content in ada.model.asked[-1].conversation)
    assert ada.agents == []


def test_a_cancel_in_the_middle_leaves_no_process(ada: Bench, shop: Path) -> None:
    task = ada.begin("SLEEP for long", shop)
    eventually(lambda: len(ada.agents) >= 3, seconds=PATIENCE)  # Gemini, its shell, the sleeps
    ada.server.cancel(task)
    ada.ended(task)
    assert task.status == "cancelled"
    assert ada.agents == []


@pytest.mark.minutes
def test_an_interrupt_keeps_what_was_said_and_the_session(ada: Bench, shop: Path) -> None:
    task = ada.begin("TALK to me", shop)
    ada.server.wait_for(lambda: task.text.startswith("one"), seconds=PATIENCE)
    assert ada.model.held.is_set()
    ada.server.say(task, "", kind="interrupt")
    ada.ended(task)
    assert task.release["error_code"] == "interrupted"
    assert task.release["result"].startswith("one")
    more = ada.run("WHAT did you do?", shop, session_id=task.release["session_id"])
    assert more.status == "completed"


def test_a_refused_key_fails_with_the_provider_s_words(ada: Bench, shop: Path) -> None:
    task = ada.run("DENIED", shop)
    assert (task.status, task.release["error"]) == ("failed", "API key not valid")


def test_a_question_of_the_agent_is_answered_by_a_person(ada: Bench, shop: Path) -> None:
    ada.asks_first(shop)
    task = ada.begin("ASK before you touch", shop)
    [question] = ada.server.wait_for(lambda: task.events("input_required"), seconds=PATIENCE)
    assert "touch allowed.txt" in question["question"]
    assert not (shop / "allowed.txt").exists()
    allow = next(option for option in question["options"] if option["kind"] == "allow_once")
    ada.server.say(task, "", kind="input", option_id=allow["id"], call_id=question["call_id"])
    ada.ended(task)
    assert (task.status, task.release["result"]) == ("completed", "finished asking")
    assert (shop / "allowed.txt").exists()


@pytest.mark.parametrize("way", ["plan", "explore"])
def test_who_only_reads_writes_nothing_even_when_it_tries_to_leave_its_mode(ada: Bench, shop: Path, way: str) -> None:
    task = ada.run("LEAVE the plan", shop, agent_type=way)
    assert (task.status, task.release["result"]) == ("completed", "I could not."), task.release
    assert git(shop, "status", "--short") == ""


def test_what_the_user_has_set_stays_as_it_is(ada: Bench, shop: Path) -> None:
    settings = ada.home / ".gemini" / "settings.json"
    before = settings.read_text() if settings.exists() else None
    ada.run("WHAT did you do?", shop)
    assert (settings.read_text() if settings.exists() else None) == before
