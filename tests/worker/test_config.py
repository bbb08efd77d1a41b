"""Where a setting comes from, and the one line for a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codetether_worker.cli import build_parser
from codetether_worker.config import Config, load_config
from codetether_worker.errors import ConfigError


def load(*flags: str, file: object = None, tmp_path: Path | None = None, **environment: str) -> Config:
    arguments = list(flags)
    if file is not None and tmp_path is not None:
        (tmp_path / "config.json").write_text(json.dumps(file))
        arguments += ["--config", str(tmp_path / "config.json")]
    return load_config(build_parser().parse_args(arguments), {"HOME": "/home/ada", **environment})


def test_defaults() -> None:
    config = load()
    assert (config.server_url, config.poll_interval, config.token) == ("http://localhost:8000", 5.0, None)
    assert str(config.state_dir).startswith("/home/ada/.local/state/codetether-worker/")


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = {"server_url": "http://file:1", "worker_name": "from-file", "poll_interval": 9, "concurrency": 3}
    config = load(
        "--server", "http://flag:1", file=file, tmp_path=tmp_path, A2A_SERVER_URL="http://env:1", A2A_POLL_INTERVAL="7"
    )
    assert (config.server_url, config.poll_interval) == ("http://flag:1", 7.0)
    assert (config.name, config.concurrency) == ("from-file", 3)


def test_codebases_by_every_spelling(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    config = load(
        "--codebases", f"{tmp_path}/a,{tmp_path}/b", "--codebase", f"store:{tmp_path}/c", "--codebase", f"{tmp_path}/a"
    )
    assert [(spec.name, spec.path.name) for spec in config.codebases] == [("a", "a"), ("b", "b"), ("store", "c")]


def test_codebases_from_a_file(tmp_path: Path) -> None:
    config = load(file={"codebases": [{"name": "here", "path": str(tmp_path)}]}, tmp_path=tmp_path)
    assert [(spec.name, spec.path) for spec in config.codebases] == [("here", tmp_path)]


def test_the_token_comes_from_the_environment_or_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert load(A2A_TOKEN="from-env").token == "from-env"
    config = load("--token-file", str(tmp_path / "token"))
    assert config.token == "from-file"
    assert "from-file" not in repr(config)


def test_a_token_is_not_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load("--token", "secret")
    assert "error: " in capsys.readouterr().err


def test_workers_of_different_servers_keep_apart() -> None:
    assert load("--server", "http://a:1").state_dir != load("--server", "http://b:1").state_dir


@pytest.mark.parametrize(
    ("flags", "environment", "complaint"),
    [
        (["--server", "localhost:8000"], {}, "--server-url must look like"),
        (["--server", "http://u:p@h"], {}, "must not hold a user name"),
        (["--server", "http://[::1"], {}, "--server-url must look like"),
        (["--concurrency", "0"], {}, "--concurrency must be a whole number from 1 to 64"),
        (["--concurrency", "many"], {}, "--concurrency must be a whole number"),
        ([], {"A2A_POLL_INTERVAL": "-1"}, "A2A_POLL_INTERVAL must be a number of seconds above zero"),
        ([], {"A2A_POLL_INTERVAL": "nan"}, "A2A_POLL_INTERVAL must be a number"),
        (["--codebase", "/no/such/place"], {}, "/no/such/place is not a folder on this machine"),
        (["--worker-id", "a b"], {}, "--worker-id may hold"),
        (["--name", "a\nb"], {}, "--name must be a line of text"),
        (["--token-file", "/no/such/file"], {}, "/no/such/file cannot be read"),
        ([], {"A2A_TOKEN": "two words"}, "the token may hold only"),
        (["--config", "/no/such/file"], {}, "/no/such/file does not exist"),
        ([], {"A2A_LOG_LEVEL": "LOUD"}, "A2A_LOG_LEVEL must be one of"),
    ],
)
def test_a_wrong_value_is_one_clear_line(flags: list[str], environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as refusal:
        load(*flags, **environment)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"the config file .*config\.json"):
        load("--config", str(tmp_path / "config.json"))
