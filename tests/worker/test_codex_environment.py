"""What Codex is started with, and which credentials for it are found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from codetether_worker.agents.codex import codex_models, launch_codex
from codetether_worker.agents.launch import Launch
from tests.worker.test_gemini_environment import assignment

OWN_PROVIDER = 'model = "mine-1"\nmodel_provider = "mine"\n[model_providers.mine]\nbase_url = "http://127.0.0.1:1"\n'


def launched(folder: Path, *, agent_type: str = "build", auto_approves: bool = True, **variables: str) -> Launch:
    asked = replace(assignment(folder, agent_type=agent_type, model="openai/gpt-9"), auto_approves=auto_approves)
    return launch_codex(Path("/bin/codex-acp"), {"HOME": str(folder), **variables}, asked)


def settings(folder: Path, name: str, content: str) -> None:
    (folder / ".codex").mkdir(exist_ok=True)
    (folder / ".codex" / name).write_text(content)


@pytest.mark.parametrize(
    ("agent_type", "auto_approves", "mode"),
    [
        ("build", True, "workspace-write"),
        ("general", False, "read-only"),  # in which it asks before it writes
        ("plan", True, "read-only"),
        ("explore", False, "read-only"),
    ],
)
def test_each_way_of_working_is_one_of_its_modes(
    tmp_path: Path, agent_type: str, auto_approves: bool, mode: str
) -> None:
    assert launched(tmp_path, agent_type=agent_type, auto_approves=auto_approves).mode == mode


def test_where_something_is_denied_it_asks_before_it_writes(tmp_path: Path) -> None:
    asked = replace(assignment(tmp_path), denied=("edit:docs/**",))
    assert launch_codex(Path("/bin/codex-acp"), {"HOME": str(tmp_path)}, asked).mode == "read-only"


def test_a_key_is_used_from_the_environment_and_not_written_to_the_disk(tmp_path: Path) -> None:
    added = json.loads(launched(tmp_path, OPENAI_API_KEY="k").environment["CODEX_CONFIG"])
    [provider] = added["model_providers"].values()
    assert provider["env_key"] == "OPENAI_API_KEY"
    assert provider["base_url"] == "https://api.openai.com/v1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "content"), [("auth.json", "{}"), ("config.toml", OWN_PROVIDER)])
def test_the_user_s_own_login_or_provider_comes_first(tmp_path: Path, name: str, content: str) -> None:
    settings(tmp_path, name, content)
    assert "CODEX_CONFIG" not in launched(tmp_path, OPENAI_API_KEY="k").environment


def test_the_task_s_model_is_chosen_in_the_session(tmp_path: Path) -> None:
    assert launched(tmp_path).model == "gpt-9"


def test_models_are_those_of_a_login_a_key_or_the_user_s_own_provider(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    assert codex_models(environment) == ()
    assert "openai/gpt-5.5" in codex_models({**environment, "CODEX_API_KEY": "k"})
    settings(tmp_path, "config.toml", OWN_PROVIDER)
    assert codex_models(environment) == ("openai/mine-1",)
    settings(tmp_path, "auth.json", "{}")
    assert codex_models(environment)[:2] == ("openai/mine-1", "openai/gpt-6.1-sol")


def test_a_damaged_config_file_is_none(tmp_path: Path) -> None:
    settings(tmp_path, "config.toml", "model = [")
    assert codex_models({"HOME": str(tmp_path)}) == ()
