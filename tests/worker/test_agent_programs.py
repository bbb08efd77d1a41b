"""Every real agent program, on a real repository, with a scripted model on loopback: all do the same.

What is particular to one of them is in the tests that bear its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.agents_bench import MARKS, PATIENCE, Bench, bench
from tests.worker.conftest import eventually, git
from tests.worker.programs import REASON, every_program

pytestmark = MARKS


@pytest.fixture(scope="module")
def ada(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Ada's laptop; the worker starts once for all tests of a program."""
    with bench(tmp_path_factory.mktemp(request.param.name), request.param) as ready:
        yield ready


@pytest.fixture
def shop(ada: Bench) -> Path:
    return ada.repository()


@every_program()
def test_it_is_announced_with_the_models_that_there_are_credentials_for(ada: Bench) -> None:
    [told] = ada.server.workers.values()
    assert ada.program.name in told["capabilities"]
    assert ada.program.model_id in [model["id"] for model in told["models"]]


@every_program(slow=("gemini",))
def test_it_edits_a_repository_and_resumes_the_session(ada: Bench, shop: Path) -> None:
    asked_before = len(ada.model.asked)
    task = ada.run("RENAME the shop", shop, model=ada.program.model_id)
    assert (task.status, task.release["result"]) == ("completed", "It is a store now."), task.release
    assert (shop / "README.md").read_text() == "# store\n"
    assert "log.txt" in git(shop, "status", "--short")
    assert [use["tool"] for use in task.events("tool_use")][-2:] == list(ada.program.tools)
    assert {result["status"] for result in task.events("tool_result")} == {"completed"}
    changes = {change["path"]: change for change in task.events("file_change")}
    assert changes["README.md"]["diff"].endswith("-# shop\n+# store\n")
    assert changes["log.txt"]["action"] == "created"  # by a shell command
    assert {ask.model for ask in ada.model.asked[asked_before:]} == {ada.program.model_id.partition("/")[2]}
    assert ada.program.usage.items() <= task.release["usage"].items()
    thought = "".join(event["content"] for event in task.events("output") if event["type"] == "reasoning")
    assert (REASON in thought) == ada.program.reasons

    more = ada.run("WHAT did you do?", shop, session_id=task.release["session_id"])
    assert (more.release["result"], more.release["session_id"]) == ("I renamed the shop.", task.release["session_id"])
    assert more.text == "I renamed the shop. "  # and nothing of the first turn again
    assert more.release["usage"]["input_tokens"] < task.release["usage"]["input_tokens"]  # of this attempt alone
    assert any("RENAME" in str(content) for content in ada.model.asked[-1].conversation)

    fork = ada.run("WHAT happened?", shop, session_id=task.release["session_id"], metadata={"fork": True})
    if not ada.program.forks:
        assert fork.release["error_code"] == "fork_unsupported"
        again = ada.run("WHAT was it?", shop, session_id=task.release["session_id"])
        assert again.release["session_id"] == task.release["session_id"], again.events("status")
        assert "WHAT did" in str(ada.model.asked[-1].conversation)
        return
    assert fork.release["session_id"] not in (None, task.release["session_id"]), fork.release
    assert (fork.release["result"], fork.text) == ("I renamed the shop.", "I renamed the shop. ")
    asked = str(ada.model.asked[-1].conversation)
    assert "RENAME" in asked
    assert "WHAT did" in asked  # all that was said before
    ada.run("HELLO", shop, session_id=task.release["session_id"])
    assert "WHAT happened" not in str(ada.model.asked[-1].conversation)  # the original is as it was
    assert ada.agents == []


@every_program()
def test_a_cancel_in_the_middle_leaves_no_process(ada: Bench, shop: Path) -> None:
    task = ada.begin("SLEEP for long", shop)
    eventually(lambda: {"986", "987"} <= ada.arguments, seconds=PATIENCE)  # of the sleeps
    ada.server.cancel(task)
    ada.ended(task)
    assert task.status == "cancelled"
    assert ada.agents == []


@every_program(slow=("gemini",))
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


@every_program()
def test_a_refused_key_fails_with_the_provider_s_words(ada: Bench, shop: Path) -> None:
    task = ada.run("DENIED", shop)
    assert task.status == "failed"
    assert ada.program.refused_key in task.release["error"]


@every_program()
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


@every_program(slow=("opencode", "gemini"))
def test_what_a_rule_refuses_fails_the_task_and_what_a_person_refuses_does_not(ada: Bench, shop: Path) -> None:
    ada.configure(shop, deny=["bash:touch *"])
    task = ada.run("ASK before you touch", shop)
    assert (task.status, task.release["error_code"]) == ("failed", "permission_denied"), task.release

    ada.asks_first(shop)
    task = ada.begin("ASK before you touch", shop)
    [question] = ada.server.wait_for(lambda: task.events("input_required"), seconds=PATIENCE)
    reject = next(option for option in question["options"] if option["kind"] == "reject_once")
    ada.server.say(task, "", kind="input", option_id=reject["id"], call_id=question["call_id"])
    ada.ended(task)
    if ada.program.goes_on:
        assert task.status == "completed", task.release  # OpenCode ends its turn there, without a word
    else:
        assert (task.status, task.release["error_code"]) == ("failed", "permission_denied"), task.release
    assert not (shop / "allowed.txt").exists()


@every_program(slow=("opencode", "gemini"))
def test_it_works_in_a_working_tree_of_its_own_and_goes_on_there(ada: Bench, shop: Path) -> None:
    ada.configure(shop, working_tree="worktree")
    task = ada.run("RENAME the shop", shop)
    assert (task.status, task.release["result"]) == ("completed", "It is a store now."), task.release
    [changes] = [made for made in task.events("artifact") if made["artifact_id"] == "changes"]
    assert "+# store" in str(changes["parts"])
    more = ada.run("WHAT did you do?", shop, session_id=task.release["session_id"])
    assert (more.status, more.release["session_id"]) == ("completed", task.release["session_id"]), more.events("status")
    assert any("RENAME" in str(said) for said in ada.model.asked[-1].conversation)
    [trees] = {tuple(tree["task_ids"]) for tree in ada.server.trees.values() if task.id in tree["task_ids"]}
    assert trees == (task.id, more.id)
    assert git(shop, "status", "--short") == ""
    assert (shop / "README.md").read_text() == "# shop\n"


@pytest.mark.parametrize("way", ["plan", "explore"])
@every_program()
def test_who_only_reads_writes_nothing_even_when_it_tries_to_leave_its_mode(ada: Bench, shop: Path, way: str) -> None:
    task = ada.run("LEAVE the plan", shop, agent_type=way)
    if ada.program.goes_on:
        assert (task.status, task.release["result"]) == ("completed", "I could not."), task.release
    else:
        assert (task.status, task.release["error_code"]) == ("failed", "permission_denied"), task.release
    assert git(shop, "status", "--short") == ""


@every_program()
def test_what_the_user_has_set_stays_as_it_is(ada: Bench, shop: Path) -> None:
    settings = ada.home / ada.program.settings
    before = settings.read_text() if settings.exists() else None
    ada.run("HELLO", shop)
    assert (settings.read_text() if settings.exists() else None) == before
