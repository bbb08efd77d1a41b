"""What Claude Code is started with, and which credentials for it are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.agents.claude import claude_models, launch_claude
from tests.worker.test_gemini_environment import assignment

PROGRAM = Path("/bin/claude-agent-acp")


def options(folder: Path, *, agent_type: str = "build", max_steps: int | None = None) -> dict[str, Any]:
    asked = replace(assignment(folder, agent_type=agent_type), max_steps=max_steps)
    meta = launch_claude(PROGRAM, {"HOME": str(folder)}, asked).meta
    return dict(meta["claudeCode"]["options"])


def test_a_repository_s_own_settings_are_not_read(tmp_path: Path) -> None:
    assert options(tmp_path) == {"settingSources": ["user"]}


def test_the_codebase_s_limit_of_steps_is_its_limit_of_turns(tmp_path: Path) -> None:
    assert options(tmp_path, max_steps=7)["maxTurns"] == 7


@pytest.mark.parametrize("way", ["plan", "explore"])
def test_who_only_reads_has_no_tool_that_writes(tmp_path: Path, way: str) -> None:
    assert {"Bash", "Edit", "Write"} <= set(options(tmp_path, agent_type=way)["disallowedTools"])
    assert launch_claude(PROGRAM, {"HOME": str(tmp_path)}, assignment(tmp_path, agent_type=way)).mode == "plan"


def test_the_task_s_model_is_taken_though_its_menu_does_not_have_it(tmp_path: Path) -> None:
    base = {"HOME": str(tmp_path), "A2A_TOKEN": "secret", "ANTHROPIC_MODEL": "opus"}
    environment = launch_claude(PROGRAM, base, assignment(tmp_path, model="anthropic/claude-9")).environment
    assert environment["ANTHROPIC_MODEL"] == environment["ANTHROPIC_CUSTOM_MODEL_OPTION"] == "claude-9"
    assert "A2A_TOKEN" not in environment


@pytest.mark.parametrize("variables", [{"ANTHROPIC_API_KEY": "k"}, {"CLAUDE_CODE_OAUTH_TOKEN": "t"}, {}])
def test_credentials_are_a_key_or_a_login(tmp_path: Path, variables: dict[str, str]) -> None:
    environment = {"HOME": str(tmp_path), "ANTHROPIC_MODEL": "claude-9", **variables}
    assert bool(claude_models(environment)) == bool(variables)
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / ".credentials.json").write_text("{}")
    assert claude_models(environment) == ("anthropic/claude-9", "anthropic/opus", "anthropic/sonnet", "anthropic/haiku")
