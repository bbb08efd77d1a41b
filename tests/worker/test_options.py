"""Every option can be given as a flag, by the environment and in the file, under the same name."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from codetether_worker.cli import build_parser
from codetether_worker.config import Config, load_config
from codetether_worker.errors import ConfigError
from codetether_worker.options import OPTIONS

FOR_THE_COMMAND_ITSELF = {"help", "command", "version", "config", "env_file", "check", "json"}


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, str]:
    """A value for each option that is not its default."""
    for name in ("shop", "blog"):
        (tmp_path / name).mkdir()
    (tmp_path / "token").write_text("ct_sample\n")
    texts = {"name": "ada", "worker_id": "w-1", "agent_name": "till", "agent_description": "sells"}
    numbers = {"concurrency": "7", "poll_interval": "1.5", "drain_grace": "0", "idle_limit": "60", "stop_grace": "2"}
    numbers |= {"session_sync_interval": "0", "session_sync_max_sessions": "3", "session_sync_max_messages": "9"}
    numbers |= {"question_limit": "0", "output_limit": "7", "max_minutes": "90", "max_cost_usd": "2", "max_tokens": "9"}
    paths = {"codebases": f"{tmp_path}/shop", "codebase": f"{tmp_path}/blog", "state_dir": f"{tmp_path}/state"}
    paths |= {"opencode_storage": f"{tmp_path}/oc"}
    switches = {"no_agent_registration": "true", "conformance": "true"}
    others = {
        "server_url": "http://plane:1",
        "opencode_bin": "oc",
        "gemini_bin": "gc",
        "claude_bin": "cc",
        "claude_acp_bin": "cca",
        "codex_bin": "cx",
        "codex_acp_bin": "cxa",
        "acp_agents": '{"goose": {"command": ["goose", "acp"], "modes": {"plan": "chat"}}}',
        "agent": "gemini",
        "log_level": "ERROR",
    }
    return texts | numbers | paths | switches | others | {"token_file": f"{tmp_path}/token"}


def loaded(*flags: str, **environment: str) -> Config:
    return load_config(build_parser().parse_args(flags), {"HOME": "/home/ada", **environment})


def told(config: Config) -> dict[str, Any]:
    """The settings without the environment that they came from."""
    return {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "environment"}


def test_the_samples_cover_every_option(samples: dict[str, str]) -> None:
    assert samples.keys() == OPTIONS.keys()


@pytest.mark.parametrize("key", OPTIONS)
def test_flag_variable_file_and_environment_file_give_the_same(
    key: str, samples: dict[str, str], tmp_path: Path
) -> None:
    option, value = OPTIONS[key], samples[key]
    (tmp_path / "config.json").write_text(json.dumps({key: value}))
    (tmp_path / "env").write_text(f'# the service\n{option.variable}="{value}"\n')
    by_flag = loaded(option.flag) if option.metavar is None else loaded(option.flag, value)
    assert told(by_flag) == told(loaded(**{option.variable: value}))
    assert told(by_flag) == told(loaded("--config", str(tmp_path / "config.json")))
    assert told(by_flag) == told(loaded("--env-file", str(tmp_path / "env")))
    assert told(by_flag) != told(loaded())


def test_the_command_has_no_other_flags() -> None:
    flags = {action.dest for action in build_parser()._actions if not isinstance(action, argparse._SubParsersAction)}
    assert {dest for dest in flags if dest not in OPTIONS} == FOR_THE_COMMAND_ITSELF


def test_no_two_options_share_a_name() -> None:
    names = [name for option in OPTIONS.values() for name in (*option.flags, *option.keys, option.variable)]
    assert len(names) == len(set(names))


def test_the_environment_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A2A_WORKER_NAME=file\nA2A_TOKEN=ct_file\nnot a setting\n")
    config = loaded("--env-file", str(tmp_path / "env"), A2A_WORKER_NAME="own")
    assert (config.name, config.token) == ("own", "ct_file")


def test_an_environment_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="--env-file: /no/such/env cannot be read"):
        loaded("--env-file", "/no/such/env")
