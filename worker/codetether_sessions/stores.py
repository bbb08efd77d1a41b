"""Where agent programs keep their sessions on this machine; nothing has to be configured."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from codetether_sessions import claude, codex, gemini, opencode_json, opencode_sqlite
from codetether_sessions.shape import Entry, Facts, Head, Identity, Keep

SPOILT = (OSError, sqlite3.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a damaged store may fail with."""


class Reader(Protocol):
    """How one kind of store is read; each is a module. They raise OSError or sqlite3.Error, and write nothing."""

    SOURCE: str

    def list_entries(self, store: Path) -> list[Entry]: ...

    def mark_of(self, store: Path, key: str) -> str: ...

    def identify(self, store: Path, entry: Entry) -> Identity: ...

    def read_head(self, store: Path, key: str) -> Head | None: ...

    def read_session(self, store: Path, key: str, keep: Keep) -> Facts | None: ...


@dataclass(frozen=True, slots=True)
class Store:
    """One program's sessions at one place."""

    reader: Reader
    path: Path

    @property
    def source(self) -> str:
        return self.reader.SOURCE


def find_stores(environment: Mapping[str, str], opencode_storage: Path | None = None) -> list[Store]:
    """The stores that exist: at the programs' usual places, and OpenCode's at `opencode_storage` too.

    A database comes before an older tree beside it, from which OpenCode has taken its sessions over.
    """
    home = _home(environment)
    codex_home = Path(environment.get("CODEX_HOME") or home / ".codex")
    claude_home = Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    places = [data_folder(environment), *([opencode_storage] if opencode_storage else [])]
    found = [store for place in places for store in _opencode(place)]
    found += [
        Store(reader, path)
        for reader, path in (
            (claude, claude_home / "projects"),
            (codex, codex_home / "sessions"),
            (gemini, home / ".gemini"),
        )
        if path.is_dir()
    ]
    return list({(store.source, store.path.resolve()): store for store in found}.values())


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where OpenCode keeps auth.json and its sessions (XDG base directories, also on macOS)."""
    named = environment.get("XDG_DATA_HOME")
    return (Path(named) if named else _home(environment) / ".local" / "share") / "opencode"


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def _opencode(place: Path) -> list[Store]:
    """The stores at OpenCode's data folder, at its `storage` folder, or the database that `place` is."""
    if place.is_file():
        return [Store(opencode_sqlite, place)]
    databases = [path for path in sorted(place.glob("opencode*.db")) if path.is_file()]
    trees = [path for path in (place, place / "storage") if (path / "session").is_dir()]
    return [Store(opencode_sqlite, path) for path in databases] + [Store(opencode_json, path) for path in trees]
