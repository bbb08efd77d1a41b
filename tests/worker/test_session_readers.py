"""Each program's sessions are read into one form, whatever state its files are in."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from codetether_sessions import claude, codex, gemini, lines, opencode_json, opencode_sqlite
from codetether_sessions.shape import Facts
from codetether_sessions.stores import Reader, Store, find_stores
from tests.fakes import session_stores as fake
from tests.fakes.session_stores import MADE

SHOP = "/srv/shop"
Message = dict[str, Any]


def made(reader: Reader, home: Path) -> Path:
    """A store with one session; its path."""
    makers = {
        opencode_sqlite: lambda: fake.opencode_database(home / "opencode.db", SHOP),
        opencode_json: lambda: fake.opencode_tree(home / "storage", SHOP),
        claude: lambda: fake.claude_file(home / "projects", SHOP).parent.parent,
        codex: lambda: fake.codex_file(home / "sessions", SHOP).parents[3],
        gemini: lambda: fake.gemini_file(home / ".gemini", SHOP).parents[3],
    }
    return makers[reader]()  # type: ignore[index]


def read(reader: Reader, store: Path) -> tuple[Facts, list[Message]]:
    """The store's only session."""
    messages: dict[str, Message] = {}
    (entry,) = reader.list_entries(store)
    facts = reader.read_session(store, entry.key, lambda message: messages.update({message["id"]: message}))
    assert facts is not None
    facts.directory = facts.directory or entry.directory or ""
    return facts, list(messages.values())


def texts(messages: list[Message]) -> list[tuple[str, str]]:
    """(role, what was said), without what tools said."""
    return [
        (message["role"], part["text"]) for message in messages for part in message["parts"] if part["type"] == "text"
    ]


READERS = [opencode_sqlite, opencode_json, claude, codex, gemini]
every_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__.rpartition(".")[2])


@every_reader
def test_session_says_where_it_was_what_about_and_what_was_said(reader: Reader, tmp_path: Path) -> None:
    facts, messages = read(reader, made(reader, tmp_path))
    assert facts.directory == SHOP
    assert facts.title in ("Mend the till", "Why is the till open?")
    assert (facts.created_at or "").startswith("2026-11-18T")
    assert (facts.updated_at or "") >= (facts.created_at or "")
    assert texts(messages) == [("user", "Why is the till open?"), ("assistant", "It has no lock.")]


@every_reader
def test_tools_and_thoughts_are_told_too(reader: Reader, tmp_path: Path) -> None:
    _, messages = read(reader, made(reader, tmp_path))
    parts = [part for message in messages for part in message["parts"]]
    (call,) = [part for part in parts if part["type"] == "tool"]
    assert call["callID"] in ("call_1", "toolu_1")
    assert isinstance(call["state"]["input"], dict)
    assert "1 line" in json.dumps(parts)
    assert [part["text"] for part in parts if part["type"] == "reasoning"] == ["Hm."]
    assert len({part["id"] for part in parts}) == len(parts)


@every_reader
def test_tokens_are_counted(reader: Reader, tmp_path: Path) -> None:
    facts, messages = read(reader, made(reader, tmp_path))
    counted = next((message["tokens"] for message in messages if message.get("tokens")), facts.tokens)
    assert counted == {"input": 100, "output": 20, "cache": {"read": 7}}


@pytest.mark.parametrize(("reader", "answers"), [(claude, 2), (gemini, 1)])
def test_tokens_of_a_session_are_those_of_its_messages(reader: Reader, answers: int, tmp_path: Path) -> None:
    """Where the program does not say them of the session. Gemini CLI tells a message again when it changes."""
    store = made(reader, tmp_path)
    (entry,) = reader.list_entries(store)
    if reader is gemini:
        (store / entry.key).write_bytes((store / entry.key).read_bytes() * 2)
    head = reader.read_head(store, entry.key)
    assert head is not None
    used = {"input": 100 * answers, "output": 20 * answers, "cache": {"read": 7 * answers}}
    assert head.facts.tokens == read(reader, store)[0].tokens == used


@every_reader
def test_mark_differs_when_a_message_has_come(reader: Reader, tmp_path: Path) -> None:
    store = made(reader, tmp_path)
    (entry,) = reader.list_entries(store)
    before = reader.mark_of(store, entry.key)
    assert reader.mark_of(store, entry.key) == before
    if reader is opencode_sqlite:
        with closing(sqlite3.connect(store)) as connection, connection:
            message = {"role": "user", "time": {"created": MADE + 9000}}
            fake.add_message(connection, "ses_1", "msg_9", message, [])
    else:
        newest = store / "message" / "ses_1" / "msg_9.json" if reader is opencode_json else store / entry.key
        with newest.open("a") as file:
            file.write("{}\n")
    assert reader.mark_of(store, entry.key) != before


@every_reader
def test_nothing_is_written_to_a_store(reader: Reader, tmp_path: Path) -> None:
    store = made(reader, tmp_path)

    def state() -> dict[Path, tuple[int, int]]:
        files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.stat().st_size}

    before = state()
    read(reader, store)
    assert state() == before


@pytest.mark.parametrize("reader", [claude, codex, gemini])
def test_half_written_last_line_waits_for_its_end(reader: Reader, tmp_path: Path) -> None:
    store = made(reader, tmp_path)
    (entry,) = reader.list_entries(store)
    path = store / entry.key
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"type": "user", "uuid": "half", "mess')
    assert read(reader, store)[1] == read(reader, made(reader, tmp_path / "again"))[1]


@pytest.mark.parametrize("reader", [claude, codex, gemini])
@pytest.mark.parametrize("damage", [b"\x00\xff{]\n", b'"a text"\n', b"[" * 100_000 + b"\n", b"\n", b'{"type": 5}\n'])
def test_damaged_lines_are_passed_over(reader: Reader, damage: bytes, tmp_path: Path) -> None:
    store = made(reader, tmp_path)
    (entry,) = reader.list_entries(store)
    whole = (store / entry.key).read_bytes().splitlines(keepends=True)
    (store / entry.key).write_bytes(whole[0] + damage + b"".join(whole[1:]))
    assert texts(read(reader, store)[1]) == [("user", "Why is the till open?"), ("assistant", "It has no lock.")]


def test_overlong_line_is_passed_over_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_LIMIT", 1000)
    monkeypatch.setattr(lines, "CHUNK", 300)
    path = fake.write_lines(tmp_path / "a.jsonl", {"a": 1}, {"b": "x" * 5000}, {"c": 3})
    assert list(lines.json_lines(path)) == [(0, {"a": 1}), (2, {"c": 3})]


def test_damaged_file_of_the_tree_is_left_out(tmp_path: Path) -> None:
    store = made(opencode_json, tmp_path)
    (store / "part" / "ses_1_msg_2" / "ses_1_msg_2_prt_3.json").write_text('{"type": "te')
    (store / "message" / "ses_1" / "ses_1_msg_0.json").write_text("")
    (store / "session" / "p1" / "ses_2.json").write_text("[]")
    assert texts(read(opencode_json, store)[1]) == [("user", "Why is the till open?")]


def test_rows_that_are_no_json_are_left_out(tmp_path: Path) -> None:
    store = made(opencode_sqlite, tmp_path)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("INSERT INTO message VALUES ('msg_0', 'ses_1', 0, 0, '{\"ro')")
        connection.execute("INSERT INTO part VALUES ('prt_0', 'ses_1_msg_1', 'ses_1', 0, 0, x'ff00')")
    assert len(read(opencode_sqlite, store)[1]) == 2


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "opencode.db"
    store.write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        opencode_sqlite.list_entries(store)


@pytest.mark.parametrize("wal", [True, False], ids=["wal", "journal"])
def test_database_in_a_folder_that_cannot_be_written_is_read(wal: bool, tmp_path: Path) -> None:
    store = fake.opencode_database(tmp_path / "data" / "opencode.db", SHOP, wal=wal)
    store.chmod(0o400)
    store.parent.chmod(0o500)
    try:
        assert len(read(opencode_sqlite, store)[1]) == 2
    finally:
        store.parent.chmod(0o700)


@pytest.mark.parametrize("wal", [True, False], ids=["wal", "journal"])
def test_session_is_read_as_it_was_at_one_moment_while_it_is_written(wal: bool, tmp_path: Path) -> None:
    """The writer adds messages of two parts, each in one transaction: a reader sees both or none, and no gap."""
    store = fake.opencode_database(tmp_path / "opencode.db", SHOP, wal=wal)
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(store, timeout=30)) as connection:
            for number in range(400):
                if stop.is_set():
                    return
                message = {"role": "user", "time": {"created": MADE + 10_000 + number}}
                parts = [{"type": "text", "text": f"{number} first"}, {"type": "text", "text": f"{number} second"}]
                with connection:
                    fake.add_message(connection, "ses_1", f"new_{number:04}", message, parts)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [read(opencode_sqlite, store)[1] for _ in range(20)]
    finally:
        stop.set()
        writer.join()
    for messages in seen:
        new = [message for message in messages if message["id"].startswith("new_")]
        assert [message["id"] for message in new] == [f"new_{number:04}" for number in range(len(new))]
        assert all(len(message["parts"]) == 2 for message in new)


def test_claudes_sub_agents_name_their_parent(tmp_path: Path) -> None:
    path = fake.claude_file(tmp_path, SHOP)
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    os.rename(path, folder / "agent-7.jsonl")
    facts, _ = read(claude, tmp_path)
    assert (facts.id, facts.parent_id) == ("agent-7", "c1")


def test_geminis_folder_is_also_found_in_the_project_itself(tmp_path: Path) -> None:
    store = made(gemini, tmp_path)
    (store / "projects.json").unlink()
    assert gemini.list_entries(store) == []
    (store / "tmp" / "shop" / ".project_root").write_text(f"{SHOP}\n")
    assert read(gemini, store)[0].directory == SHOP


def test_stores_are_found_at_their_usual_places(tmp_path: Path) -> None:
    fake.every_store(tmp_path, SHOP)
    found = find_stores({"HOME": str(tmp_path)})
    assert [store.source for store in found] == ["opencode", "opencode", "claude", "codex", "gemini"]
    assert find_stores({"HOME": str(tmp_path / "nobody")}) == []


def test_stores_are_found_where_variables_say(tmp_path: Path) -> None:
    fake.opencode_database(tmp_path / "data" / "opencode" / "opencode.db", SHOP)
    fake.claude_file(tmp_path / "cl" / "projects", SHOP)
    fake.codex_file(tmp_path / "cx" / "sessions", SHOP)
    told = {"XDG_DATA_HOME": "data", "CLAUDE_CONFIG_DIR": "cl", "CODEX_HOME": "cx"}
    environment = {name: str(tmp_path / folder) for name, folder in told.items()}
    found = find_stores({"HOME": str(tmp_path / "nobody"), **environment})
    assert [store.source for store in found] == ["opencode", "claude", "codex"]


@pytest.mark.parametrize("place", ["x", "x/opencode.db", "x/storage"])
def test_opencode_may_keep_its_sessions_elsewhere(place: str, tmp_path: Path) -> None:
    database = fake.opencode_database(tmp_path / "x" / "opencode.db", SHOP)
    tree = fake.opencode_tree(tmp_path / "x" / "storage", SHOP)
    both = [Store(opencode_sqlite, database), Store(opencode_json, tree)]
    expected = {"x": both, "x/opencode.db": both[:1], "x/storage": both[1:]}[place]
    assert find_stores({"HOME": str(tmp_path / "nobody")}, tmp_path / place) == expected
