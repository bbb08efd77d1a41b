"""Append-only histories: one file of JSON lines for each actor, each line on its way to the disk when it is written.

An actor notes what it was *told*: `ok` (the server said yes), `fail` (it said no), `unknown` (no answer came, so it may
have happened or not). What a killed actor had not noted yet was acknowledged to nobody.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `t` is CLOCK_MONOTONIC in seconds, which all processes of a machine share."""

    t: float
    actor: str
    op: str
    id: str
    outcome: str
    facts: dict[str, Any] = field(default_factory=dict)


class History:
    """The file of one actor; a restarted one goes on in the same file."""

    def __init__(self, folder: Path, actor: str) -> None:
        self.actor = actor
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(folder / f"{actor}.jsonl", flags, 0o600)

    def note(self, op: str, id: str, outcome: str = OK, **facts: Any) -> None:  # noqa: A002 (the field's own name)
        """One write call for the whole line: a kill leaves all of it or none."""
        line = {"t": time.monotonic(), "actor": self.actor, "op": op, "id": id, "outcome": outcome, "facts": facts}
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read_histories(folder: Path) -> Iterator[Entry]:
    """The entries of all actors, file by file, each in the order in which it was written."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield Entry(**json.loads(line))
