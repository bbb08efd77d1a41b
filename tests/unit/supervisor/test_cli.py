"""The command line, up to the point where something would start."""

import os
import socket
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
