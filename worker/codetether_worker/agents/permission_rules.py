"""Rules of a codebase about what agents may do: which requests for permission they fit, and which they do not.

A rule is `TOOL` or `TOOL:PATTERN`. TOOL is a kind of tool (`read`, `edit`, `delete`, `move`, `search`, `execute`,
`fetch`, ...), a program's own name for one, or `*`. PATTERN is about the command of an `execute`, the paths of what
touches files, the address of a `fetch`. The grammar is in docs/concepts/permissions.md.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codetether_worker.agents import shell_words

# What people and programs call the protocol's kinds of tools.
_KINDS = {
    "bash": "execute", "shell": "execute", "run": "execute", "command": "execute", "write": "edit", "patch": "edit",
    "webfetch": "fetch", "web_fetch": "fetch", "grep": "search", "glob": "search", "list": "search",
}  # fmt: skip
_PATHS = ("filePath", "filepath", "file_path", "path", "notebook_path")
_LONGEST = 20_000  # characters of a command that is read


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent asks leave for. `paths` are absolute; `command` and `url` are None where there is none."""

    kind: str
    tool: str = ""
    title: str = ""
    command: str | None = None
    paths: tuple[str, ...] = ()
    url: str | None = None

    @classmethod
    def of(cls, call: Mapping[str, Any], folder: Path) -> Wish:
        """Read a tool call of the Agent Client Protocol, with what its earlier updates said of it."""
        raw = call.get("rawInput")
        args: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        kind, title = str(call.get("kind") or "other"), str(call.get("title") or "")
        url = args.get("url")
        return cls(
            kind=kind,
            tool=str(call.get("toolName") or "").lower(),
            title=title,
            command=_command(args, title) if kind == "execute" else None,
            paths=tuple(dict.fromkeys(os.path.join(folder, path) for path in _paths(call, args))),
            url=url if isinstance(url, str) else None,
        )

    @property
    def named(self) -> str:
        """In words, for people."""
        subject = self.command or ", ".join(self.paths) or self.url or self.title
        return f"{self.kind}: {subject}"[:500]


def _command(args: Mapping[str, Any], title: str) -> str | None:
    said = args.get("command", args.get("cmd"))
    if isinstance(said, list) and all(isinstance(word, str) for word in said):
        return shell_words.joined(said)
    return said if isinstance(said, str) else title or None


def _paths(call: Mapping[str, Any], args: Mapping[str, Any]) -> Iterable[str]:
    """Every path that the call names, wherever the program has put it."""
    places = [
        place for name in ("locations", "content") for place in call.get(name) or () if isinstance(place, Mapping)
    ]
    told = [place.get("path") for place in places] + [args.get(name) for name in _PATHS]
    changes = args.get("changes")
    told += [*changes] if isinstance(changes, Mapping) else []
    return [path for path in told if isinstance(path, str) and path]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, as it was written and as it is read."""

    text: str
    tool: str
    pattern: str | None

    @classmethod
    def parse(cls, text: str) -> Rule:
        tool, colon, pattern = text.strip().partition(":")
        return cls(text.strip(), tool.strip().lower(), pattern.strip() if colon else None)

    def _is_about(self, wish: Wish) -> bool:
        return self.tool in ("*", wish.kind, wish.tool) or _KINDS.get(self.tool) == wish.kind

    def allows(self, wish: Wish, folder: Path) -> bool:
        """Strictly: whatever cannot be told for sure is not allowed."""
        if not self._is_about(wish):
            return False
        if self.pattern is None:
            return True
        if wish.kind == "execute":
            return wish.command is not None and self._allows_command(wish.command)
        if wish.url is not None:
            return _glob(wish.url, self.pattern)
        return bool(wish.paths) and all(_path_fits(os.path.realpath(p), self.pattern, folder) for p in wish.paths)

    def _allows_command(self, command: str) -> bool:
        """Only one simple command: in `git status; rm -rf /` the second is another."""
        return len(command) <= _LONGEST and shell_words.is_simple(command) and _command_fits(command, str(self.pattern))

    def denies(self, wish: Wish, folder: Path) -> bool:
        """Broadly: whatever might be meant is denied, also where what it is about cannot be told."""
        if not self._is_about(wish):
            return False
        if self.pattern is None:
            return True
        if wish.kind == "execute":
            said = (wish.command or "")[:_LONGEST]
            return any(_command_fits(part, self.pattern) for part in shell_words.parts(said)) if said else True
        if wish.url is not None:
            return _glob(wish.url, self.pattern)
        places = [place for path in wish.paths for place in (os.path.normpath(path), os.path.realpath(path))]
        return any(_path_fits(place, self.pattern, folder) for place in places) if places else True


def _command_fits(command: str, pattern: str) -> bool:
    """`git *` also fits a bare `git`, since its arguments may be none."""
    words = command.strip()
    return _glob(words, pattern) or (pattern.endswith(" *") and words == pattern[:-2])


def _glob(text: str, pattern: str) -> bool:
    """`*` and `?` stand for any characters, line breaks included; brackets stand for themselves."""
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), text) is not None


def _path_fits(path: str, pattern: str, folder: Path) -> bool:
    """A pattern that is not absolute is one below the folder; what leads out of it fits only an absolute one."""
    if pattern.startswith("/"):
        return _segments_fit(path.split("/"), pattern.split("/"))
    for root in {os.path.normpath(folder), os.path.realpath(folder)}:
        if path == root or path.startswith(root + "/"):
            inside = path[len(root) + 1 :]
            return _segments_fit(inside.split("/"), pattern.removeprefix("./").split("/"))
    return False


def _segments_fit(path: list[str], pattern: list[str]) -> bool:
    """`**` stands for any number of folders, none included; within a name `*` and `?` stand for characters.

    Works through a table of which beginnings fit, so that no pattern takes longer than its length times the path's.
    """
    reached = [True, *[False] * len(path)]
    for part in pattern:
        if part == "**":
            first = reached.index(True) if True in reached else len(reached)
            reached = [index >= first for index in range(len(reached))]
        else:
            reached = [False, *[reached[n] and _glob(name, part) for n, name in enumerate(path)]]
    return reached[-1]


@dataclass(frozen=True, slots=True)
class Policy:
    """A codebase's rules. What is in neither list is decided elsewhere."""

    allow: tuple[Rule, ...]
    deny: tuple[Rule, ...]
    folder: Path

    @classmethod
    def of(cls, allowed: Iterable[str], denied: Iterable[str], folder: Path) -> Policy:
        return cls(tuple(map(Rule.parse, allowed)), tuple(map(Rule.parse, denied)), folder)

    def denying(self, wish: Wish) -> Rule | None:
        return next((rule for rule in self.deny if rule.denies(wish, self.folder)), None)

    def allowing(self, wish: Wish) -> Rule | None:
        """A rule that allows it, unless one denies it: deny wins."""
        if self.denying(wish) is not None:
            return None
        return next((rule for rule in self.allow if rule.allows(wish, self.folder)), None)
