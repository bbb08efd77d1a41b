"""What killed launchers, half-written and foreign folders leave behind."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from codetether.embedded import EmbeddedError, find, start
from tests.unit.embedded.conftest import Launcher, wait_for_end
from tests.unit.embedded.test_launcher import query


def pids_of(data_dir: Path) -> dict[str, int]:
    pids: dict[str, int] = json.loads((data_dir / "services.json").read_text())["pids"]
    return pids


def value_after_restart(data_dir: Path, statement: str = "SELECT 1") -> object:
    services = start(data_dir, durable=False)
    try:
        return query(services.database_url, statement)
    finally:
        services.stop()


def test_the_servers_end_with_a_killed_launcher(data_dir: Path, launch: Callable[[Path], Launcher]) -> None:
    launcher = launch(data_dir)
    pids = pids_of(data_dir)
    launcher.kill()
    assert wait_for_end(pids["postgres"])
    assert wait_for_end(pids["valkey"])
    assert find(data_dir) is None


def test_a_start_right_after_a_kill_keeps_the_data(data_dir: Path, launch: Callable[[Path], Launcher]) -> None:
    launcher = launch(data_dir)
    query(launcher.database_url, "CREATE TABLE cake AS SELECT 42 AS slices")
    launcher.kill()
    assert value_after_restart(data_dir, "SELECT slices FROM cake") == 42


def test_servers_that_outlived_their_launcher_are_ended(data_dir: Path, launch: Callable[[Path], Launcher]) -> None:
    launcher = launch(data_dir)
    pids = pids_of(data_dir)
    # A stopped process does not act on the signal that the kernel sends at the launcher's death.
    for name in ("postgres", "valkey"):
        os.kill(pids[name], signal.SIGSTOP)
    launcher.kill()
    for name in ("postgres", "valkey"):
        os.kill(pids[name], signal.SIGCONT)
    assert value_after_restart(data_dir) == 1
    assert wait_for_end(pids["postgres"], 0)
    assert wait_for_end(pids["valkey"], 0)


def test_a_stale_pid_of_another_program_is_forgotten(data_dir: Path) -> None:
    lines = [
        str(os.getpid()),
        str(data_dir / "postgres"),
        "1700000000",
        "5432",
        "",
        "127.0.0.1",
        "  1  1",
        "ready",
    ]
    (data_dir / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert value_after_restart(data_dir) == 1


def test_stale_notes_are_not_believed(data_dir: Path) -> None:
    note = {
        "database_url": "postgresql://gone",
        "redis_url": "redis://gone:1/0",
        "pids": {"valkey": os.getpid()},
    }
    (data_dir / "services.json").write_text(json.dumps(note))
    assert find(data_dir) is None
    assert value_after_restart(data_dir) == 1


def test_a_half_written_database_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    half = tmp_path / "data" / "postgres.new" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert value_after_restart(tmp_path / "data") == 1
    assert not half.exists()
    assert "half a database that was never finished" in caplog.text


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    assert value_after_restart(tmp_path / "data") == 1


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("PG_VERSION", None, "is not a PostgreSQL data folder"),
        ("PG_VERSION", "17\n", "belongs to PostgreSQL 17, this release runs 18"),
        ("global/pg_control", None, "is half a database"),
        ("global/pg_control", "nonsense", "PostgreSQL did not start: .*PANIC"),
    ],
)
def test_an_unusable_folder_gets_one_line_and_is_left_alone(
    data_dir: Path, file: str, content: str | None, message: str
) -> None:
    path = data_dir / "postgres" / file
    path.unlink()
    if content is not None:
        path.write_text(content)
        path.chmod(0o644)
    with pytest.raises(EmbeddedError, match=message) as caught:
        start(data_dir, durable=False)
    assert "\n" not in str(caught.value)
    assert (data_dir / "postgres" / "base").is_dir()
    assert find(data_dir) is None


@pytest.mark.parametrize("damage", ["missing", "half a file"])
def test_lost_passwords_are_replaced(data_dir: Path, damage: str) -> None:
    secrets = data_dir / "embedded.json"
    secrets.unlink() if damage == "missing" else secrets.write_text('{"superuser_pass')
    assert value_after_restart(data_dir) == 1
    assert secrets.stat().st_mode & 0o777 == 0o600
