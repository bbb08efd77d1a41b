"""The command line, up to the point where something would start."""

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from codetether import __version__, cli
from codetether.embedded.state import Lock
from codetether.supervisor import sockets, up
from codetether.supervisor.errors import StartError
from codetether.supervisor.plan import Plan


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """What the commands would have run."""
    started: list[Plan] = []
    monkeypatch.setattr(cli, "up", started.append)
    return started


@pytest.mark.parametrize("command", [["--port", "8123"], ["run", "--port", "8123"], ["serve", "--port=8123"]])
def test_run_is_the_web_server_alone(plans: list[Plan], command: list[str]) -> None:
    assert cli.main(command) == 0
    assert (plans[0].settings.port, plans[0].is_whole, plans[0].has_worker) == (8123, False, False)


def test_no_command_is_run(plans: list[Plan]) -> None:
    assert cli.main([]) == 0
    assert not plans[0].is_whole


def test_up_is_everything(plans: list[Plan], tmp_path: Path) -> None:
    assert cli.main(["up", "--host", "127.0.0.2", "--data-dir", str(tmp_path / "here")]) == 0
    assert plans[0].is_whole
    assert plans[0].has_worker
    assert (plans[0].settings.host, plans[0].data_dir) == ("127.0.0.2", tmp_path / "here")


def test_up_without_a_worker(plans: list[Plan]) -> None:
    cli.main(["up", "--no-worker"])
    assert not plans[0].has_worker


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"codetether {__version__}\n"


def test_a_bad_setting_is_one_line(plans: list[Plan], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["up", "--port", "70000"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert plans == []


def test_a_busy_port_is_one_line_and_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = cli.main(["up", "--host=127.0.0.1", f"--port={port}", f"--data-dir={tmp_path}"])
    assert code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"codetether: Port {port} on 127.0.0.1 is in use")
    assert error.count("\n") == 1
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize(
    ("command", "variable"), [("grpc", "A2A_GRPC_PORT"), ("up", "A2A_GRPC_PORT"), ("mcp", "MCP_HTTP_PORT"),
                              ("run", "MCP_HTTP_PORT")]
)  # fmt: skip
def test_a_busy_port_beside_the_first_that_was_asked_for_is_one_line(
    command: str, variable: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "execve", _never)
    monkeypatch.setattr(cli, "service_urls", lambda _: ("", ""))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv(variable, str(port))
        more = [f"--port={_free_port()}"] if command in ("up", "run") else []
        assert cli.main([command, f"--data-dir={tmp_path}", *more]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"codetether: Port {port} on 127.0.0.1 is in use")
    assert variable in error
    assert error.count("\n") == 1
    assert not (tmp_path / "postgres").exists()


def _never(*_: object) -> None:
    raise AssertionError("started")


def test_a_default_grpc_port_that_is_taken_keeps_nothing_else_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("A2A_GRPC_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(_settings(tmp_path), grpc_port=taken.getsockname()[1])
        plan = up._grpc_or_not(Plan(settings=settings, is_whole=True, has_worker=False))
    assert not plan.has_grpc
    assert plan.environment("", "")["A2A_GRPC_PORT"] == "0"
    assert "without gRPC: Port" in capsys.readouterr().out


def test_a_default_mcp_port_that_is_taken_is_said_and_nothing_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(_settings(tmp_path), mcp_port=taken.getsockname()[1], mcp_is_asked=False)
        plan, opened = up._mcp_port_or_not(Plan(settings=settings, is_whole=True, has_worker=False))
    assert (plan.has_mcp_port, opened) == (False, [])
    assert plan.environment("", "")["MCP_HTTP_PORT"] == "0"
    said = capsys.readouterr().out
    assert f"without a port of its own for MCP, which answers at {plan.url}/mcp: Port" in said
    assert said.count("\n") == 1


def test_mcps_port_is_opened_by_run_only_where_it_is_asked_for(tmp_path: Path) -> None:
    plan = Plan(settings=_settings(tmp_path), is_whole=False, has_worker=False)
    assert (plan.has_mcp_port, plan.mcp_url) == (False, f"{plan.url}/mcp")
    asked = replace(plan, settings=replace(plan.settings, mcp_is_asked=True))
    assert (asked.has_mcp_port, asked.mcp_url) == (True, "http://127.0.0.1:9000/mcp")
    refused = replace(asked, settings=replace(asked.settings, mcp_port=0))
    assert not refused.has_mcp_port


def test_mcp_becomes_a_web_process_on_its_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, environment: started.append((command, environment)))
    monkeypatch.setattr(cli, "service_urls", lambda _: ("", ""))
    port = _free_port()
    assert cli.main(["mcp", "--host=127.0.0.1", f"--port={port}", f"--data-dir={tmp_path}"]) == 0
    ((command, environment),) = started
    assert command[1:3] == ["-m", "codetether.web"]
    assert (environment["MCP_HTTP_HOST"], environment["MCP_HTTP_PORT"]) == ("127.0.0.1", str(port))
    handed_over = int(command[3].removeprefix("--fd="))
    with socket.socket(fileno=handed_over) as listener:
        assert (listener.getsockname()[1], os.get_inheritable(handed_over)) == (port, True)


def test_run_alone_names_no_grpc_on_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A2A_GRPC_PORT", raising=False)
    alone = Plan(settings=_settings(tmp_path), is_whole=False, has_worker=False)
    assert alone.environment("", "")["A2A_GRPC_PORT"] == "0"
    monkeypatch.setenv("A2A_GRPC_PORT", "50052")
    assert alone.environment("", "")["A2A_GRPC_PORT"] == "50052"


def test_grpc_becomes_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, environment: started.append((command, environment)))
    monkeypatch.setattr(cli, "service_urls", lambda _: ("", ""))
    port = _free_port()
    assert cli.main(["grpc", "--host=127.0.0.1", f"--port={port}", f"--data-dir={tmp_path}"]) == 0
    ((command, environment),) = started
    assert command[1:] == ["-m", "codetether.grpc_server"]
    assert (environment["A2A_GRPC_HOST"], environment["A2A_GRPC_PORT"]) == ("127.0.0.1", str(port))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_grpc_without_a_port_or_a_database_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "execve", _never)
    for name in ("DATABASE_URL", "A2A_DATABASE_URL", "A2A_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["grpc", "--port=0", f"--data-dir={tmp_path}"]) == 1
    assert cli.main(["grpc", f"--data-dir={tmp_path}"]) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_a_second_up_in_a_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Lock(tmp_path / "up.lock")
    assert first.acquire()
    (tmp_path / "up.json").write_text('{"pid": 77, "url": "http://127.0.0.1:8000"}')
    code = cli.main(["up", "--port=8001", f"--data-dir={tmp_path}"])
    first.release()
    assert code == 1
    error = capsys.readouterr().err
    assert f"CodeTether already runs in {tmp_path} (process 77, http://127.0.0.1:8000)" in error
    assert error.count("\n") == 1


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert cli.main(["up", f"--data-dir={tmp_path / 'file' / 'data'}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_no_worker_to_restart_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "up.json").write_text(f'{{"pid": {os.getpid()}, "url": ""}}')
    assert cli.main(["restart-worker", f"--data-dir={tmp_path}"]) == 1
    assert "no 'codetether up' runs" in capsys.readouterr().err


def test_an_unknown_host_is_one_line() -> None:
    with pytest.raises(StartError, match="Cannot listen on 192.0.2.1 port 0"):
        sockets.listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80"), ("example.org", "http://example.org:80")],
)
def test_the_url_is_one_that_this_machine_can_use(host: str, url: str) -> None:
    assert sockets.url(host, 80) == url


def test_the_note_of_a_running_up_goes_with_it(tmp_path: Path) -> None:
    plan = Plan(settings=_settings(tmp_path), is_whole=True, has_worker=False)
    with up._alone(plan):
        assert (tmp_path / "up.json").exists()
    assert not (tmp_path / "up.json").exists()


def _settings(data_dir: Path) -> cli.env.Env:
    return cli.env.load({"CODETETHER_DATA_DIR": str(data_dir)})


def test_bridge_becomes_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, environment: started.append(command))
    monkeypatch.setattr(cli, "service_urls", lambda _: ("", ""))
    assert cli.main(["bridge", f"--data-dir={tmp_path}"]) == 0
    assert started[0][1:] == ["-m", "codetether.bridge"]


def test_bridge_without_a_database_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "execve", _never)
    for name in ("DATABASE_URL", "A2A_DATABASE_URL", "A2A_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main(["bridge", f"--data-dir={tmp_path}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
