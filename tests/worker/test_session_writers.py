"""Stores that a program is writing to while they are read, and stores that are read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codetether_sessions import claude, codex, gemini, opencode_json
from codetether_sessions.stores import Reader
from tests.fakes import session_stores as fake
from tests.fakes.session_stores import MADE
from tests.worker.test_session_readers import SHOP, every_reader, made, read, texts


def grown(reader: Reader, store: Path, number: int) -> list[tuple[Path, bytes]]:
    """What the program writes for one more question, file by file: (path, bytes to add to it)."""
    said, at = f"question {number:03}", fake.AT[6]
    if reader is opencode_json:
        message_id = f"ses_1_new_{number:03}"
        message = {"id": message_id, "role": "user", "time": {"created": MADE + 9000 + number}}
        part = {"id": f"{message_id}_prt_0", "type": "text", "text": said}
        return [
            (store / "part" / message_id / f"{part['id']}.json", json.dumps(part).encode()),
            (store / "message" / "ses_1" / f"{message_id}.json", json.dumps(message).encode()),
        ]
    lines: dict[Reader, dict[str, Any]] = {
        claude: {
            "type": "user", "uuid": f"new-{number:03}", "timestamp": at, "sessionId": "c1", "cwd": SHOP,
            "message": {"role": "user", "content": said},
        },
        codex: {
            "timestamp": at, "type": "response_item",
            "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": said}]},
        },
        gemini: {"id": f"new-{number:03}", "timestamp": at, "type": "user", "content": [{"text": said}]},
    }  # fmt: skip
    (entry,) = reader.list_entries(store)
    return [(store / entry.key, json.dumps(lines[reader]).encode() + b"\n")]


@pytest.mark.parametrize("reader", [opencode_json, claude, codex, gemini])
def test_file_that_is_written_meanwhile_gives_whole_messages_without_a_gap(reader: Reader, tmp_path: Path) -> None:
    """The writer writes each message in two halves: whenever it is read, what is there is what was there before and
    the first so many of the new messages, none of them in part. In the end all are there."""
    store = made(reader, tmp_path)
    before = texts(read(reader, store)[1])
    seen = [read_between(reader, store, number) for number in range(20)]
    for number, (half, whole) in enumerate(seen):
        assert half == before + [("user", f"question {n:03}") for n in range(number)]
        assert whole == before + [("user", f"question {n:03}") for n in range(number + 1)]


def read_between(reader: Reader, store: Path, number: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What is read when the next message is half written, and when it is whole."""
    *first, (path, told) = grown(reader, store, number)
    for other, content in first:
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(content)
    with path.open("ab") as file:
        file.write(told[: len(told) // 2])
        file.flush()
        half = texts(read(reader, store)[1])
        file.write(told[len(told) // 2 :])
    return half, texts(read(reader, store)[1])


@every_reader
def test_a_store_that_is_read_twice_says_the_same(reader: Reader, tmp_path: Path) -> None:
    store = made(reader, tmp_path)
    assert read(reader, store) == read(reader, store)
    (entry,) = reader.list_entries(store)
    head, identity = reader.read_head(store, entry.key), reader.identify(store, entry)
    facts, messages = read(reader, store)
    assert head is not None
    assert (identity.id, identity.directory) == (facts.id, facts.directory)
    assert (head.facts.id, head.facts.title, head.message_count) == (facts.id, facts.title, len(messages))
