"""Starting, sharing and stopping the embedded servers."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from codetether.embedded import EmbeddedError, Services, find, start
from tests.unit.embedded.conftest import Launcher, wait_for_end, wait_until


def query(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def test_both_servers_answer(services: Services) -> None:
    assert query(services.database_url, "SELECT 1") == 1
    assert ping(services.redis_url)


def test_the_database_is_utf8_with_checksums(services: Services) -> None:
    assert query(services.database_url, "SHOW server_encoding") == "UTF8"
    assert query(services.database_url, "SHOW data_checksums") == "on"
    assert query(services.database_url, "SELECT upper('été')") == "ÉTÉ"


def test_our_role_owns_its_database_and_is_no_superuser(services: Services) -> None:
    assert query(services.database_url, "SHOW is_superuser") == "off"
    query(services.database_url, "CREATE EXTENSION pg_trgm")
    query(services.database_url, "CREATE DATABASE another")


def test_a_wrong_password_is_refused(services: Services) -> None:
    password = services.database_url.split(":")[2].partition("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(services.database_url.replace(password, "guessed"), "SELECT 1")


def test_valkey_wants_its_password(services: Services) -> None:
    host_and_port = services.redis_url.rpartition("@")[2]
    with pytest.raises(redis.AuthenticationError):
        ping(f"redis://{host_and_port}")


def test_a_new_folder_becomes_a_database(tmp_path: Path) -> None:
    services = start(tmp_path / "new", durable=False)
    try:
        assert query(services.database_url, "SELECT current_database()") == "codetether"
    finally:
        services.stop()


def test_a_restart_keeps_data_addresses_and_passwords(data_dir: Path) -> None:
    first = start(data_dir)
    query(first.database_url, "CREATE TABLE cake AS SELECT 42 AS slices")
    with redis.Redis.from_url(first.redis_url) as client:
        client.set("cake", "lemon")
    first.stop()
    second = start(data_dir)
    try:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        assert query(second.database_url, "SELECT slices FROM cake") == 42
        with redis.Redis.from_url(second.redis_url) as client:
            assert client.get("cake") == b"lemon"
    finally:
        second.stop()


def test_stop_ends_both_and_removes_the_note(data_dir: Path) -> None:
    services = start(data_dir, durable=False)
    note = data_dir / "services.json"
    pids = json.loads(note.read_text())["pids"]
    assert note.stat().st_mode & 0o777 == 0o600
    services.stop()
    assert not note.exists()
    assert wait_for_end(pids["postgres"], 0)
    assert wait_for_end(pids["valkey"], 0)
    assert find(data_dir) is None


def test_a_second_start_shares_and_leaves_alone(data_dir: Path, services: Services) -> None:
    guest = start(data_dir)
    assert not guest.is_owned
    assert guest.database_url == services.database_url
    guest.stop()
    assert query(services.database_url, "SELECT 1") == 1


def test_a_second_start_can_be_refused(data_dir: Path, services: Services) -> None:
    with pytest.raises(EmbeddedError, match=f"already run, started by process {os.getpid()}"):
        start(data_dir, reuse=False)
    assert query(services.database_url, "SELECT 1") == 1


def test_other_processes_find_the_servers(data_dir: Path, launch: Callable[[Path], Launcher]) -> None:
    launcher = launch(data_dir)
    found = find(data_dir)
    assert found is not None
    assert (found.database_url, found.redis_url) == (launcher.database_url, launcher.redis_url)


def test_only_what_is_needed_is_started(tmp_path: Path) -> None:
    services = start(tmp_path / "data", durable=False, needs={"valkey"})
    try:
        assert services.database_url == ""
        assert ping(services.redis_url)
        assert not (tmp_path / "data" / "postgres").exists()
    finally:
        services.stop()


def test_a_dead_server_comes_back_at_its_address(data_dir: Path, services: Services) -> None:
    assert list(services.restart_dead()) == []
    pid = json.loads((data_dir / "services.json").read_text())["pids"]["valkey"]
    os.kill(pid, signal.SIGKILL)
    restarted: list[str] = []
    assert wait_until(lambda: bool(restarted.extend(services.restart_dead()) or restarted))
    assert restarted == ["Valkey"]
    assert wait_until(lambda: find(data_dir) is not None and _answers(services.redis_url))


def _answers(url: str) -> bool:
    try:
        return ping(url)
    except redis.ConnectionError:
        return False


def test_a_path_too_long_for_a_socket_is_no_obstacle(finished_folder: Path, tmp_path: Path) -> None:
    deep = shutil.copytree(finished_folder, tmp_path / ("d" * 60) / ("e" * 60))
    services = start(deep, durable=False)
    try:
        assert query(services.database_url, "SELECT 1") == 1
        assert not list((deep / "postgres").glob(".s.PGSQL.*"))
    finally:
        services.stop()


def test_a_taken_port_is_replaced(data_dir: Path, finished_folder: Path) -> None:
    with_same_ports = start(finished_folder, durable=False)
    try:
        services = start(data_dir, durable=False)
        try:
            assert services.database_url.rpartition("@")[2] != with_same_ports.database_url.rpartition("@")[2]
            assert query(services.database_url, "SELECT 1") == 1
        finally:
            services.stop()
    finally:
        with_same_ports.stop()


def test_a_folder_that_cannot_be_made_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmbeddedError, match="cannot be used") as caught:
        start(tmp_path / "file" / "data")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_the_servers_get_nothing_of_our_environment(data_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("A2A_AUTH_TOKENS", "ci:secret")
    services = start(data_dir, durable=False)
    try:
        pid = json.loads((data_dir / "services.json").read_text())["pids"][name]
        assert "A2A_AUTH_TOKENS" not in Path(f"/proc/{pid}/environ").read_text()
    finally:
        services.stop()
