"""Files of JSON lines that another program may be writing to: whole lines only, one in memory at a time."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from codetether_sessions.shape import Entry, Json, known_id

log = logging.getLogger(__name__)

LINE_LIMIT = 32 * 1024 * 1024  # bytes; a longer line is passed over
CHUNK = 1024 * 1024


def json_lines(path: Path) -> Iterator[tuple[int, Json]]:
    """(number from 0, object) of each whole line that was there when reading began; others are passed over.

    A last line without its end is still being written, or was cut off by a crash: the next read takes it up.
    """
    damaged = 0
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        number = -1
        while left > 0 and (line := file.readline(min(left, LINE_LIMIT))):
            left -= len(line)
            number += 1
            if not line.endswith(b"\n"):
                if left <= 0:
                    break
                left -= _pass_over(file, left)
                damaged += 1
                continue
            found = _object(line)
            if found is None:
                damaged += bool(line.strip())
            else:
                yield number, found
    if damaged:
        log.warning("session file with damaged lines, which are left out path=%s lines=%d", path, damaged)


def _pass_over(file: BinaryIO, left: int) -> int:
    """Read on to the end of the line; how many bytes that took of the `left` ones."""
    taken = 0
    while taken < left and (rest := file.readline(min(left - taken, CHUNK))):
        taken += len(rest)
        if rest.endswith(b"\n"):
            break
    return taken


def _object(line: bytes) -> Json | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def file_mark(path: Path) -> str:
    """Differs whenever the file may have changed."""
    state = path.stat()
    return f"{state.st_mtime_ns}:{state.st_size}"


def file_entries(store: Path, paths: Iterable[Path], directory: str | None = None) -> list[Entry]:
    """The files as sessions of `store`; one that has gone since it was listed is left out."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            if known_id(path.stem):
                found.append(Entry(str(path.relative_to(store)), path.stat().st_mtime, directory))
    return found
