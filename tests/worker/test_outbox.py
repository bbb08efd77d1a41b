"""The outbox: what it promises about order, durability and damage."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from codetether_sessions.redaction import Redactor
from codetether_worker import events, outbox
from codetether_worker.outbox import BATCH_EVENTS, ClaimLog, Outbox
from codetether_worker.protocol import Outcome

DONE = Outcome("completed", result="done")


def opened(folder: Path) -> ClaimLog:
    return Outbox(folder).open("task-1", "token-1")


def texts(batch: outbox.Batch | None) -> list[str]:
    assert batch is not None
    return [event["data"]["message"] for event in batch.events]


@pytest.mark.asyncio
async def test_events_come_back_in_order_and_then_the_finish(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for word in ("one", "two"):
        log.append(events.status(word))
    log.finish(DONE)
    await log.flush()
    batch = await log.next_batch()
    assert texts(batch) == ["one", "two"]
    assert batch is not None
    assert [event["seq"] for event in batch.events] == [1, 2]
    assert batch.finish is not None
    assert batch.finish["status"] == "completed"


@pytest.mark.asyncio
async def test_what_is_not_flushed_is_not_sent(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(events.status("only in memory"))
    assert await log.next_batch() is None


@pytest.mark.asyncio
async def test_batches_are_bounded_and_go_on_where_the_last_one_ended(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(BATCH_EVENTS + 5):
        log.append(events.status(str(number)))
    await log.flush()
    first = await log.next_batch()
    assert len(texts(first)) == BATCH_EVENTS
    assert first is not None
    log.mark_sent(first)
    assert texts(await log.next_batch()) == [str(number) for number in range(BATCH_EVENTS, BATCH_EVENTS + 5)]


@pytest.mark.asyncio
async def test_nothing_follows_the_finish(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.finish(DONE)
    log.append(events.status("too late"))
    log.finish(Outcome("failed", error="too late"))
    await log.flush()
    batch = await log.next_batch()
    assert batch is not None
    assert (batch.events, batch.finish["status"] if batch.finish else None) == ((), "completed")


@pytest.mark.asyncio
async def test_the_next_run_continues_the_numbers(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(events.status("before"))
    await log.flush()
    [again] = Outbox(tmp_path).leftovers()
    assert (again.task_id, again.claim_token, again.finished) == ("task-1", "token-1", False)
    again.append(events.status("after"))
    await again.flush()
    batch = await again.next_batch()
    assert batch is not None
    assert [(event["seq"], event["data"]["message"]) for event in batch.events] == [(1, "before"), (2, "after")]


@pytest.mark.asyncio
@pytest.mark.parametrize("tail", [b'{"seq": 2, "kind": "st', b"\xff\xfe\n", b"\n", b"[]\n"])
async def test_a_half_written_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    log = opened(tmp_path)
    log.append(events.status("whole"))
    await log.flush()
    with log.path.open("ab") as stored:
        stored.write(tail)
    [again] = Outbox(tmp_path).leftovers()
    again.finish(DONE)
    await again.flush()
    batch = await again.next_batch()
    assert texts(batch) == ["whole"]
    assert batch is not None
    assert batch.finish is not None


def test_a_file_without_a_header_is_removed(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"task_id"')
    assert list(Outbox(tmp_path).leftovers()) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.asyncio
async def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened(tmp_path)
    log.append(events.status("kept"))

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(outbox.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        await log.flush()
    monkeypatch.undo()
    log.append(events.status("too"))
    await log.flush()
    assert texts(await log.next_batch()) == ["kept", "too"]


def test_the_file_is_private_and_the_token_is_not_shown(tmp_path: Path) -> None:
    log = opened(tmp_path)
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert "token-1" not in repr(log)


@pytest.mark.asyncio
async def test_odd_text_is_made_storable(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(events.status("nul \x00 and half \ud800 a pair"))
    log.append(events.tool_use(tool="x", args={"k\x00": ["\ud800", 1, None, {"a": True}]}, call_id="c", title=""))
    log.finish(Outcome("completed", result="\x00"))
    await log.flush()
    stored = log.path.read_text(encoding="utf-8")
    assert "\\u0000" not in stored
    assert "\\ud800" not in stored


@pytest.mark.asyncio
async def test_what_must_not_leave_is_never_written_down(tmp_path: Path) -> None:
    claim = Outbox(tmp_path, Redactor({"MY_TOKEN": "known-to-this-machine"}).value).open("task-1", "token-1")
    claim.append(events.output("text", "It is known-to-this-machine, password='hunter22'."))
    claim.append(events.tool_use(tool="bash", args={"api_key": "abc", "path": "a"}, call_id="1", title="x"))
    claim.finish(Outcome("completed", result="Bearer abcdefgh12345678", session_id="ses_1"))
    await claim.flush()
    written = claim.path.read_text()
    assert not any(secret in written for secret in ("known-to", "hunter22", "abc"))
    assert "It is ***, password='***'." in written
    assert '"session_id": "ses_1"' in written
