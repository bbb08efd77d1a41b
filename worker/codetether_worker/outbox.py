"""What the server has not acknowledged yet, on disk: one append-only file of JSON lines for each claim.

The first line names the claim, the following ones are its events in order, the last one is its finish. A
line is on disk (fsync) before it is sent, so a restart of the worker sends the same lines with the same
sequence numbers, and the server skips those it has. The file goes away when the finish is acknowledged or
the claim turns out to be stale.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codetether_sessions.storable import storable
from codetether_worker.events import Event
from codetether_worker.protocol import Outcome

log = logging.getLogger(__name__)

BATCH_EVENTS = 200
BATCH_BYTES = 2_000_000
_SUFFIX = ".jsonl"
type Clean = Callable[[Any], Any]
"""From JSON values to JSON values."""
type Unfinished = Callable[[str], int]
"""From a text to how many characters at its end may be the beginning of something that must not be told."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines to send next: events in order, the finish if it is reached, and where in the file that ends."""

    events: tuple[dict[str, Any], ...]
    finish: dict[str, Any] | None
    end: int


@dataclass(slots=True)
class ClaimLog:
    """The outbox of one claim. `append` and `finish` never block; `flush` makes what they took durable."""

    path: Path
    task_id: str
    claim_token: str = field(repr=False)
    finished: bool = False
    taken: int = 0  # bytes of all events together
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    clean: Clean = lambda value: value
    unfinished: Unfinished = lambda text: 0
    _begun: Event | None = None
    _seq: int = 0
    _buffer: list[bytes] = field(default_factory=list)
    _sent_end: int = 0
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def append(self, event: Event) -> None:
        """Take one event; after the finish there is nothing more to say, and it is dropped.

        The end of an output that may be the beginning of a secret waits for what comes next: in two halves it would
        not be recognised.
        """
        if self.finished:
            return
        whole = self._joined(event)
        if whole.kind != "output" or not (waiting := self.unfinished(whole.data["content"])):
            self._note(whole)
            return
        content = whole.data["content"]
        if said := content[:-waiting]:
            self._note(Event(whole.kind, {**whole.data, "content": said}))
        self._begun = Event(whole.kind, {**whole.data, "content": content[-waiting:]})

    def _joined(self, event: Event) -> Event:
        """The event with what waited for it; what waited for another is told first."""
        begun, self._begun = self._begun, None
        if begun is None:
            return event
        if event.kind == "output" and event.data["type"] == begun.data["type"]:
            return Event(event.kind, {**event.data, "content": begun.data["content"] + event.data["content"]})
        self._note(begun)
        return event

    def _note(self, event: Event) -> None:
        self._seq += 1
        at = datetime.now(UTC).isoformat()
        self._write({"seq": self._seq, "kind": event.kind, "data": self.clean(event.data), "at": at})

    def finish(self, outcome: Outcome) -> None:
        """Take the end of the attempt; only the first one counts."""
        if self.finished:
            return
        if self._begun is not None:
            self._note(self._begun)
        self.finished = True
        self._write({"finish": self.clean(storable(outcome.to_release()))})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._buffer.append(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self.taken += len(self._buffer[-1])
        self.changed.set()

    async def flush(self) -> None:
        """Put everything taken so far on disk. Raises OSError (a full disk); nothing is lost then."""
        async with self._writing:
            lines, self._buffer = self._buffer, []
            if not lines:
                return
            try:
                await asyncio.to_thread(_append_durably, self.path, b"".join(lines))
            except OSError:
                self._buffer[:0] = lines
                raise

    async def next_batch(self) -> Batch | None:
        """The first lines that are on disk and not marked sent; None when there are none."""
        return await asyncio.to_thread(_read_batch, self.path, self._sent_end)

    def mark_sent(self, batch: Batch) -> None:
        self._sent_end = batch.end

    def unstored_batch(self) -> Batch | None:
        """The first lines that are not on disk, for when they cannot be put there; None when there are none.

        `end` is how many lines of the buffer it holds.
        """
        events: list[dict[str, Any]] = []
        for line in map(json.loads, self._buffer[:BATCH_EVENTS]):
            if "finish" in line:
                return Batch(tuple(events), line["finish"], len(events) + 1)
            events.append(line)
        return Batch(tuple(events), None, len(events)) if events else None

    def forget_unstored(self, batch: Batch) -> None:
        """The server has the events of this batch."""
        if self._buffer and json.loads(self._buffer[0]).get("seq") == batch.events[0]["seq"]:
            del self._buffer[: batch.end]

    def discard(self) -> None:
        """The claim is settled or lost: forget it."""
        self.finished = True
        self._buffer.clear()
        self.path.unlink(missing_ok=True)


class Outbox:
    """All claims that still owe the server something. `clean` takes out of events and results what must not leave
    this machine, before they are written down; `unfinished` says how much of a text's end may become such a thing.
    """

    def __init__(
        self, folder: Path, clean: Clean = lambda value: value, unfinished: Unfinished = lambda text: 0
    ) -> None:
        self._folder = folder
        self._clean = clean
        self._unfinished = unfinished

    def open(self, task_id: str, claim_token: str) -> ClaimLog:
        path = self._folder / f"{secrets.token_hex(12)}{_SUFFIX}"
        opened = ClaimLog(path=path, task_id=task_id, claim_token=claim_token, clean=self._clean)
        opened.unfinished = self._unfinished
        header = {"task_id": task_id, "claim_token": claim_token}
        _create_durably(path, json.dumps(header).encode() + b"\n")
        return opened

    def leftovers(self) -> Iterator[ClaimLog]:
        """The claims of an earlier run, oldest first; a file without a usable header is removed."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda p: p.stat().st_mtime):
            recovered = _recover(path)
            if recovered is None:
                log.warning("outbox file without a usable header removed file=%s", path.name)
                path.unlink(missing_ok=True)
            else:
                yield recovered


def _create_durably(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _append_durably(path: Path, content: bytes) -> None:
    """Append and fsync; on failure the file is cut back to where it ended before."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        start = os.lseek(handle, 0, os.SEEK_END)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, start)
            raise
    finally:
        os.close(handle)


def _read_batch(path: Path, start: int) -> Batch | None:
    events: list[dict[str, Any]] = []
    end = start
    try:
        stored = path.open("rb")
    except FileNotFoundError:  # discarded meanwhile
        return None
    with stored:
        stored.seek(start)
        for raw in stored:
            line = _parse(raw)
            if line is None:
                break
            if "finish" in line:
                return Batch(tuple(events), line["finish"], end + len(raw))
            if events and (len(events) >= BATCH_EVENTS or end + len(raw) - start > BATCH_BYTES):
                break
            end += len(raw)
            if "seq" in line:
                events.append(line)
    return Batch(tuple(events), None, end) if events else None


def _parse(raw: bytes) -> dict[str, Any] | None:
    """One stored line; None for a line that a crash left half-written."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _recover(path: Path) -> ClaimLog | None:
    """Reopen a claim of an earlier run, cutting off a half-written last line."""
    header: dict[str, Any] | None = None
    seq, good, finished = 0, 0, False
    with path.open("rb") as stored:
        for raw in stored:
            line = _parse(raw)
            if line is None:
                break
            header = header or line
            seq, finished = max(seq, int(line.get("seq") or 0)), finished or "finish" in line
            good += len(raw)
    if header is None or not header.get("task_id") or not header.get("claim_token"):
        return None
    os.truncate(path, good)
    recovered = ClaimLog(path=path, task_id=header["task_id"], claim_token=header["claim_token"])
    recovered.finished, recovered._seq = finished, seq
    return recovered
