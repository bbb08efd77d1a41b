"""Claude Code and Codex themselves, without their adapters: run once for each prompt, on a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.claude_program import claude_environment, claude_program
from tests.fakes.codex_program import codex_environment, codex_program
from tests.worker.agents_bench import MARKS, PATIENCE, Bench, bench
from tests.worker.conftest import eventually, git
from tests.worker.programs import CLAUDE, CODEX

pytestmark = [pytest.mark.agents, pytest.mark.minutes, *MARKS]


def _claude_alone(home: Path, model_url: str) -> dict[str, str]:
    environment = claude_environment(home, model_url)
    del environment["CLAUDE_ACP_BIN"]
    return environment | {"CLAUDE_BIN": str(claude_program())}


def _codex_alone(home: Path, model_url: str) -> dict[str, str]:
    environment = codex_environment(home, model_url)
    del environment["CODEX_ACP_BIN"]
    return environment | {"CODEX_BIN": str(codex_program())}


ALONE = [replace(CLAUDE, environment=_claude_alone), replace(CODEX, environment=_codex_alone, refused_key="401")]


@pytest.fixture(scope="module", params=ALONE, ids=lambda program: program.name)
def ada(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp(request.param.name), request.param) as ready:
        yield ready


@pytest.fixture
def shop(ada: Bench) -> Path:
    return ada.repository()


def test_it_edits_a_repository_and_its_session_is_resumed_and_forked(ada: Bench, shop: Path) -> None:
    task = ada.run("RENAME the shop", shop, model=ada.program.model_id)
    assert (task.status, task.release["result"]) == ("completed", "It is a store now."), task.release
    assert (shop / "README.md").read_text() == "# store\n"
    assert [use["tool"] for use in task.events("tool_use")][-2:] == list(ada.program.tools)
    assert {result["status"] for result in task.events("tool_result")} == {"completed"}
    changes = {change["path"]: change for change in task.events("file_change")}
    assert changes["README.md"]["diff"].endswith("-# shop\n+# store\n")
    assert changes["log.txt"]["action"] == "created"
    assert ada.program.usage.items() <= task.release["usage"].items()
    [opened] = task.events("session")

    more = ada.run("WHAT did you do?", shop, session_id=opened["session_id"])
    assert (more.release["result"], more.release["session_id"]) == ("I renamed the shop.", opened["session_id"])
    assert any("RENAME" in str(said) for said in ada.model.asked[-1].conversation)

    fork = ada.run("WHAT happened?", shop, session_id=opened["session_id"], metadata={"fork": True})
    [forked] = fork.events("session")
    assert forked["session_id"] != opened["session_id"]
    assert "RENAME" in str(ada.model.asked[-1].conversation)
    ada.run("HELLO", shop, session_id=opened["session_id"])
    assert "WHAT happened" not in str(ada.model.asked[-1].conversation)  # the original is as it was
    assert ada.agents == []


def test_a_cancel_in_the_middle_leaves_no_process(ada: Bench, shop: Path) -> None:
    task = ada.begin("SLEEP for long", shop)
    eventually(lambda: {"986", "987"} <= ada.arguments, seconds=PATIENCE)
    ada.server.cancel(task)
    ada.ended(task)
    assert task.status == "cancelled"
    assert ada.agents == []


def test_a_refused_key_fails_with_the_provider_s_words(ada: Bench, shop: Path) -> None:
    task = ada.run("DENIED", shop)
    assert task.status == "failed"
    assert ada.program.refused_key in task.release["error"]


def test_where_somebody_wants_to_be_asked_it_does_not_run(ada: Bench, shop: Path) -> None:
    ada.asks_first(shop)
    asked = len(ada.model.asked)
    task = ada.run("RENAME the shop", shop)
    assert (task.status, task.release["error_code"]) == ("failed", "asking_unsupported")
    assert len(ada.model.asked) == asked
    assert git(shop, "status", "--short") == ""


def test_who_only_reads_writes_nothing(ada: Bench, shop: Path) -> None:
    ada.asks_first(shop)  # which is no reason to refuse this
    task = ada.run("LEAVE the plan", shop, agent_type="plan")
    assert (task.status, task.release["result"]) == ("completed", "I could not."), task.release
    assert git(shop, "status", "--short") == ""
