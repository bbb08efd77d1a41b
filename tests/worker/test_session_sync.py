"""Sessions of the programs on Ada's laptop reach the server: all of them, once, and without their secrets."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from codetether_sessions.redaction import Redactor
from codetether_sessions.stores import find_stores
from codetether_worker.client import ControlPlane
from codetether_worker.errors import ServerUnreachable
from codetether_worker.sessions import spool, sync
from codetether_worker.sessions.limits import SessionLimits
from codetether_worker.sessions.sync import SessionSync, codebase_of
from tests.fakes import session_stores as fake
from tests.fakes.control_plane import TOKEN, FakeControlPlane
from tests.worker.conftest import StartWorker, eventually

KEY = "sk-ant-api03-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"


class Laptop:
    """A home folder with a codebase `shop`, and what its sync tells the server."""

    def __init__(self, server: FakeControlPlane, home: Path) -> None:
        self.server = server
        self.home = home
        self.shop = home / "shop"
        self.shop.mkdir()
        self.state = home / "state"
        self.state.mkdir()
        self.folders = [("cb-shop", self.shop)]
        self.limits = SessionLimits(60.0, 500, 2000, None)

    @property
    def database(self) -> Path:
        return self.home / ".local" / "share" / "opencode" / "opencode.db"

    def round(self) -> int:
        """One round of the sync; how many sessions it told."""
        return asyncio.run(self._with_sync(SessionSync.run_round))

    async def _with_sync[T](self, work: Callable[[SessionSync], Awaitable[T]]) -> T:
        environment = {"HOME": str(self.home), "MY_TOKEN": "known-to-this-machine"}
        async with ControlPlane(self.server.url, TOKEN, worker_id="ada") as client:
            return await work(
                SessionSync(
                    client, state_dir=self.state, limits=self.limits, redactor=Redactor(environment),
                    folders=lambda: self.folders, find=lambda: find_stores(environment),
                )
            )  # fmt: skip

    def say(self, text: str, *, message_id: str = "new_1", session_id: str = "ses_1", **state: Any) -> None:
        """Someone says something in OpenCode's session; `state` is that of a tool, if any."""
        parts = [{"type": "text", "text": text}, *([{"type": "tool", "tool": "bash", "state": state}] if state else [])]
        with closing(sqlite3.connect(self.database)) as connection, connection:
            message = {"role": "user", "time": {"created": fake.MADE + 9000}}
            fake.add_message(connection, session_id, message_id, message, parts)


@pytest.fixture
def laptop(server: FakeControlPlane, tmp_path: Path) -> Laptop:
    return Laptop(server, tmp_path)


def test_sessions_of_every_program_are_told_with_their_messages(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    assert laptop.round() == 5
    sources = {session_id: session["source"] for session_id, session in server.sessions.items()}
    assert sources == {"ses_1": "opencode", "ses_0": "opencode", "c1": "claude", "x1": "codex", "g1": "gemini"}
    assert {session["codebase_id"] for session in server.sessions.values()} == {"cb-shop"}
    assert {session["directory"] for session in server.sessions.values()} == {str(laptop.shop)}
    counts = {session_id: len(messages) for session_id, messages in server.messages.items()}
    assert counts == {"ses_1": 2, "ses_0": 2, "c1": 4, "x1": 5, "g1": 3}
    assert {session_id: session["message_count"] for session_id, session in server.sessions.items()} == counts


def test_what_has_not_changed_is_not_told_again(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    laptop.round()
    before = len(server.requests)
    assert laptop.round() == 0
    assert len(server.requests) == before


def test_of_a_session_that_goes_on_only_the_new_message_is_told(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    laptop.round()
    server.told.clear()
    laptop.say("Lock it then.")
    assert laptop.round() == 1
    assert server.told == [["new_1"]]
    assert server.sessions["ses_1"]["message_count"] == 3


def test_session_that_two_stores_hold_is_told_as_the_newer_one_has_it(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    laptop.say("Only in the database.")
    fake.opencode_tree(laptop.database.parent / "storage", laptop.shop, session_id="ses_1")
    assert laptop.round() == 1
    assert "new_1" in server.messages["ses_1"]


def test_sessions_elsewhere_stay_here(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.home / "diary")
    assert laptop.round() == 0
    assert not server.requests


def test_sessions_come_as_soon_as_their_folder_is_a_codebase(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.home / "diary")
    laptop.round()
    laptop.folders.append(("cb-diary", laptop.home / "diary"))
    assert laptop.round() == 5
    assert {session["codebase_id"] for session in server.sessions.values()} == {"cb-diary"}


def test_innermost_codebase_has_the_session(tmp_path: Path) -> None:
    folders = [("outer", tmp_path), ("inner", tmp_path / "a"), ("other", tmp_path / "ab")]
    inside = {name: codebase_of(str(tmp_path / name), folders) for name in ("a", "a/b", "ab", "abc", ".")}
    assert inside == {"a": "inner", "a/b": "inner", "ab": "other", "abc": "outer", ".": "outer"}
    assert codebase_of(str(tmp_path.parent), folders) == ""
    assert codebase_of("", folders) == codebase_of("relative", folders) == ""


def test_what_could_not_be_told_is_told_later(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    server.stop()
    with pytest.raises(ServerUnreachable):
        laptop.round()
    server.start()
    assert laptop.round() == 5
    assert len(server.messages) == 5


@pytest.mark.parametrize(("status", "code"), [(404, "codebase_not_found"), (403, "forbidden")])
def test_refused_codebase_does_not_keep_others_from_being_told(
    status: int, code: str, laptop: Laptop, server: FakeControlPlane
) -> None:
    blog = laptop.home / "blog"
    laptop.folders.append(("cb-blog", blog))
    fake.opencode_database(laptop.database, laptop.shop)
    fake.opencode_database(laptop.database, blog, session_id="ses_2")
    server.refuse_next("cb-blog", status, code)
    laptop.round()
    assert set(server.messages) == {"ses_1"}
    laptop.round()
    assert set(server.messages) == {"ses_1", "ses_2"}


def test_message_that_the_server_cannot_take_is_left_out(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    for number in range(9):
        laptop.say(str(number), message_id=f"new_{number}")
    server.unwanted = {"new_4"}
    assert laptop.round() == 1
    expected = {"ses_1_msg_1", "ses_1_msg_2", *(f"new_{n}" for n in range(9) if n != 4)}
    assert set(server.messages["ses_1"]) == expected
    assert laptop.round() == 0


def test_batches_fit_a_request(laptop: Laptop, server: FakeControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "BATCH_MESSAGES", 3)
    fake.opencode_database(laptop.database, laptop.shop)
    for number in range(8):
        laptop.say(str(number), message_id=f"new_{number}")
    laptop.round()
    assert [len(batch) for batch in server.told] == [3, 3, 3, 1]


def test_only_the_newest_messages_and_sessions_are_told(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    fake.opencode_database(laptop.database, laptop.shop, session_id="ses_2")
    with closing(sqlite3.connect(laptop.database)) as connection, connection:
        connection.execute("UPDATE session SET time_updated = time_updated + 1 WHERE id = 'ses_2'")
    laptop.limits = SessionLimits(60.0, 1, 1, None)
    assert laptop.round() == 1
    assert {session_id: list(kept) for session_id, kept in server.messages.items()} == {"ses_2": ["ses_2_msg_2"]}


def test_secrets_stay_here(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    laptop.say(f"use {KEY}", input={"command": "x", "password": "p"}, output=f"TOKEN={KEY}\nknown-to-this-machine")
    laptop.round()
    told = json.dumps(server.messages)
    assert KEY not in told
    assert "known-to-this-machine" not in told
    assert server.messages["ses_1"]["new_1"]["parts"][0]["text"] == "use ***"
    assert server.messages["ses_1"]["new_1"]["parts"][1]["state"]["input"] == {"command": "x", "password": "***"}


def test_large_output_is_cut_with_a_marker(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    laptop.say("look", output="x" * 250_000)
    laptop.say("all", message_id="new_2", **{f"output{n}": "y" * 150_000 for n in range(40)})
    laptop.round()
    kept = server.messages["ses_1"]
    assert kept["new_1"]["parts"][1]["state"]["output"].endswith("[cut: 50000 more characters]")
    assert kept["new_2"]["parts"][1]["state"]["output7"].endswith("[cut: 130000 more characters]")


def test_what_the_server_cannot_store_is_made_storable(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.opencode_database(laptop.database, laptop.shop)
    laptop.say("a\x00b\ud800", output=float("nan"))
    laptop.round()
    said = server.messages["ses_1"]["new_1"]["parts"]
    assert (said[0]["text"], said[1]["state"]["output"]) == ("a\ufffdb?", "nan")


def test_damaged_store_is_passed_over(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    for name in ("opencode.db-wal", "opencode.db-shm"):
        laptop.database.with_name(name).unlink(missing_ok=True)
    laptop.database.write_bytes(b"damaged" * 1000)
    assert laptop.round() == 4
    assert set(server.sessions) == {"ses_0", "c1", "x1", "g1"}


def test_lost_or_damaged_cursor_means_that_all_is_told_again(laptop: Laptop, server: FakeControlPlane) -> None:
    fake.every_store(laptop.home, laptop.shop)
    laptop.round()
    before = json.dumps([server.sessions, server.messages], sort_keys=True)
    (laptop.state / "sessions.db").write_bytes(b"damaged" * 1000)
    assert laptop.round() == 5
    assert json.dumps([server.sessions, server.messages], sort_keys=True) == before


def test_sync_goes_on_after_a_round_that_failed(
    laptop: Laptop, server: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is away at first; nobody has to wake the sync for it to try again."""
    monkeypatch.setattr(sync, "_GATHER", 0.01)
    fake.every_store(laptop.home, laptop.shop)
    server.stop()

    async def watch(syncing: SessionSync) -> None:
        running = asyncio.create_task(syncing.run())
        await asyncio.sleep(0)
        server.start()
        await asyncio.to_thread(eventually, lambda: len(server.messages) == 5)
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(laptop._with_sync(watch))


def test_worker_tells_sessions_at_its_start_and_after_each_task(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    fake.claude_file(tmp_path / ".claude" / "projects", shop)
    start_worker("--codebase", str(shop))
    server.wait_for(lambda: "c1" in server.messages, what="the session at the start")
    fake.codex_file(tmp_path / ".codex" / "sessions", shop)
    server.wait_ended(server.add_task("2 + 2", metadata={"agent": "builtin"}))
    server.wait_for(lambda: "x1" in server.messages, what="the session after the task")


def test_refused_sync_disturbs_no_task(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    fake.every_store(tmp_path, shop)
    for _ in range(20):
        server.refuse_next("sessions/sync", 403, "forbidden")
    start_worker("--codebase", str(shop))
    task = server.wait_ended(server.add_task("2 + 2", metadata={"agent": "builtin"}))
    assert task.status == "completed"
    assert not server.sessions


def test_sync_can_be_switched_off(
    server: FakeControlPlane, start_worker: StartWorker, shop: Path, tmp_path: Path
) -> None:
    fake.every_store(tmp_path, shop)
    start_worker("--codebase", str(shop), "--session-sync-interval", "0")
    server.wait_ended(server.add_task("2 + 2", metadata={"agent": "builtin"}))
    assert not any("sessions" in path for _, path in server.requests)
