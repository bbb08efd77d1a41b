"""OpenCode's older store (up to 1.1): a folder tree with one JSON file for each session, message and part."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from codetether_sessions.opencode import SOURCE, identify, message_json, session_facts
from codetether_sessions.shape import Entry, Facts, Head, Json, Keep, known_id, table, text, whole

__all__ = ["SOURCE", "identify", "list_entries", "mark_of", "read_head", "read_session"]

log = logging.getLogger(__name__)

_FILE_LIMIT = 32 * 1024 * 1024  # bytes; a larger file is passed over


def list_entries(store: Path) -> list[Entry]:
    """The sessions below `store` (OpenCode's `storage` folder), in no order."""
    found = ((path, _read(path)) for path in (store / "session").glob("*/*.json"))
    worktrees = {path.stem: text((_read(path) or {}).get("worktree")) for path in (store / "project").glob("*.json")}
    return [
        Entry(
            path.stem, whole(table(body.get("time")).get("updated")) / 1000, text(body.get("directory")),
            project=path.parent.name, worktree=worktrees.get(path.parent.name, ""),
        )
        for path, body in found
        if body is not None and known_id(path.stem)
    ]  # fmt: skip


def mark_of(store: Path, key: str) -> str:
    """Differs whenever one of the session's files has been written, added or removed."""
    states = [path.stat() for path in _files(store, key)]
    return f"{len(states)}:{max((state.st_mtime_ns for state in states), default=0)}:{sum(s.st_size for s in states)}"


def _files(store: Path, key: str) -> Iterator[Path]:
    yield from (store / "session").glob(f"*/{key}.json")
    for path in (store / "message" / key).glob("*.json"):
        yield path
        yield from (store / "part" / path.stem).glob("*.json")


def read_head(store: Path, key: str) -> Head | None:
    body = _session(store, key)
    if body is None:
        return None
    return Head(session_facts(key, body), sum(1 for _ in (store / "message" / key).glob("*.json")))


def _session(store: Path, key: str) -> Json | None:
    return next((found for path in (store / "session").glob(f"*/{key}.json") if (found := _read(path))), None)


def read_session(store: Path, key: str, keep: Keep) -> Facts | None:
    """The session, its messages given to `keep` in order; None when it is gone or cannot be read."""
    body = _session(store, key)
    if body is None:
        return None
    for path in sorted((store / "message" / key).glob("*.json")):  # OpenCode's ids sort by time
        said = _read(path)
        if said is not None and known_id(path.stem):
            files = sorted((store / "part" / path.stem).glob("*.json"))
            keep(message_json(path.stem, said, ((part.stem, data) for part in files if (data := _read(part)))))
    return session_facts(key, body)


def _read(path: Path) -> Json | None:
    """The file's object. One that is half written, or gone since it was listed, is passed over: it comes next time."""
    try:
        if path.stat().st_size > _FILE_LIMIT:
            log.warning("session file is too large and left out path=%s", path)
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        log.warning("session file cannot be read and is left out path=%s: %s", path, error)
        return None
    return found if isinstance(found, dict) else None
