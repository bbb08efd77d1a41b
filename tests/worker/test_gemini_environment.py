"""What Gemini CLI is started with, and which credentials for it are found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.agents.base import Assignment
from codetether_worker.agents.gemini import gemini_models, launch_gemini

PROGRAM = Path("/bin/gemini")


def assignment(scratch: Path, *, agent_type: str = "build", model: str | None = None) -> Assignment:
    return Assignment(
        task_id="t-1", workdir=scratch, agent_type=agent_type, model=model, session_id=None, auto_approves=True,
        max_steps=None, has_codebase=True, mark="M", scratch=scratch, emit=lambda _: None,
    )  # fmt: skip


def defaults(environment: dict[str, str], scratch: Path) -> dict[str, Any]:
    launch = launch_gemini(PROGRAM, environment, assignment(scratch))
    return dict(json.loads(Path(launch.environment["GEMINI_CLI_SYSTEM_DEFAULTS_PATH"]).read_text()))


def test_the_worker_s_own_settings_stay_with_it(tmp_path: Path) -> None:
    base = {"HOME": str(tmp_path), "A2A_TOKEN": "secret", "GEMINI_API_KEY": "k", "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    environment = launch_gemini(PROGRAM, base, assignment(tmp_path)).environment
    assert "A2A_TOKEN" not in environment
    assert environment["GEMINI_API_KEY"] == "k"
    assert environment["GEMINI_CLI_TRUST_WORKSPACE"] == "true"  # the user's word counts


@pytest.mark.parametrize(
    ("agent_type", "mode"), [("build", "default"), ("general", "default"), ("plan", "plan"), ("explore", "plan")]
)
def test_each_way_of_working_is_one_of_its_modes(tmp_path: Path, agent_type: str, mode: str) -> None:
    launch = launch_gemini(PROGRAM, {"HOME": str(tmp_path)}, assignment(tmp_path, agent_type=agent_type))
    assert launch.mode == mode


@pytest.mark.parametrize("model", ["google/gemini-9", "gemini-9"])
def test_the_model_is_named_when_it_starts(tmp_path: Path, model: str) -> None:
    launch = launch_gemini(PROGRAM, {"HOME": str(tmp_path)}, assignment(tmp_path, model=model))
    assert launch.command == ("/bin/gemini", "--acp", "--model", "gemini-9")


def test_the_codebase_s_limit_of_steps_is_its_limit_of_turns(tmp_path: Path) -> None:
    base = {"HOME": str(tmp_path)}
    limited = launch_gemini(PROGRAM, base, replace(assignment(tmp_path), max_steps=7)).environment
    written = json.loads(Path(limited["GEMINI_CLI_SYSTEM_DEFAULTS_PATH"]).read_text())
    assert written["model"] == {"maxSessionTurns": 7}
    assert "model" not in defaults(base, tmp_path)


def test_what_resuming_leaves_beside_a_session_is_removed_and_nothing_else(tmp_path: Path) -> None:
    chats = tmp_path / ".gemini" / "tmp" / "shop" / "chats"
    chats.mkdir(parents=True)
    begun = '{"sessionId":"0123abcd-4567"}\n{"$set":{"messages":[{"type":"user"}]}}\n'
    contents = {
        "session-2026-01-01T10-00-0123abcd.jsonl": begun + '{"id":"1","type":"user","content":[{"text":"hello"}]}\n',
        "session-2026-01-01T10-01-0123abcd.jsonl": begun,
        "session-2026-01-01T10-02-0123abcd.jsonl": begun + "half a li",
        "session-2026-01-01T10-00-99999999.jsonl": begun,
    }
    for name, content in contents.items():
        (chats / name).write_text(content)
    tidy = launch_gemini(PROGRAM, {"HOME": str(tmp_path)}, assignment(tmp_path)).quirks.tidy
    tidy({"HOME": str(tmp_path)}, "99999999-1")  # where nothing was said, nothing is a leftover
    assert len(list(chats.iterdir())) == 4
    tidy({"HOME": str(tmp_path)}, "0123abcd-4567")
    assert sorted(path.name for path in chats.iterdir()) == sorted(n for n in contents if "10-01" not in n)


def test_without_credentials_there_are_no_models(tmp_path: Path) -> None:
    assert gemini_models({"HOME": str(tmp_path), "GEMINI_MODEL": "gemini-9"}) == ()


@pytest.mark.parametrize(
    ("variables", "files", "login"),
    [
        ({"GEMINI_API_KEY": "k"}, {}, "gemini-api-key"),
        ({}, {".env": "# mine\nGEMINI_API_KEY=k\n"}, "gemini-api-key"),
        ({}, {"oauth_creds.json": "{}"}, "oauth-personal"),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "true"}, {"oauth_creds.json": "{}"}, "vertex-ai"),
    ],
)
def test_credentials_are_found_where_the_program_keeps_them(
    tmp_path: Path, variables: dict[str, str], files: dict[str, str], login: str
) -> None:
    (tmp_path / ".gemini").mkdir()
    for name, content in files.items():
        (tmp_path / ".gemini" / name).write_text(content)
    environment = {"HOME": str(tmp_path), "GEMINI_MODEL": "gemini-9", **variables}
    assert gemini_models(environment)[:2] == ("google/gemini-9", "google/gemini-2.5-pro")
    assert defaults(environment, tmp_path)["security"]["auth"]["selectedType"] == login
