"""Describes a folder of code in Markdown, bounded in time, files and bytes; reads, never writes."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from codetether_worker.agents.languages import LANGUAGES, MANIFESTS, PROSE

_TIME_LIMIT = 20.0
_MAX_FILES = 20_000
_MAX_FILE_BYTES = 2_000_000
_MAX_TOTAL_BYTES = 300_000_000
_GIT_LIMIT = 10.0
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox"})
_TODO = re.compile(rb"\b(?:TODO|FIXME)\b")
_TODO_EXAMPLES = 5


@dataclass(slots=True)
class Survey:
    """Counts over one folder. `complete` is False when a bound was hit first."""

    files: int = 0
    size: int = 0
    complete: bool = True
    language_files: Counter[str] = field(default_factory=Counter)
    language_lines: Counter[str] = field(default_factory=Counter)
    top_level: Counter[str] = field(default_factory=Counter)
    manifests: list[str] = field(default_factory=list)
    todos: int = 0
    todo_examples: list[str] = field(default_factory=list)


def describe_codebase(root: Path, *, stop: threading.Event) -> str:
    """A summary of the folder for people. `stop` ends the reading early."""
    root = root.resolve()
    names = _tracked_files(root)
    in_git = names is not None
    survey = _survey(root, names if names is not None else _walk(root), stop)
    parts = [_headline(root, survey), _languages(survey), _layout(survey), _manifests(survey)]
    parts += [_commits(root) if in_git else "Not a git repository.", _todos(survey)]
    if not survey.complete:
        parts.append("The folder is larger than I read in one go; the counts cover the part I read.")
    return "\n\n".join(part for part in parts if part)


def _tracked_files(root: Path) -> Iterator[str] | None:
    """What git tracks or would (so .gitignore holds); None outside a git repository."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return None if listing is None else (name for name in listing.split("\0") if name)


def _git(root: Path, *arguments: str) -> str | None:
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    try:
        done = subprocess.run(
            ["git", *safe, *arguments], cwd=root, capture_output=True, timeout=_GIT_LIMIT, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _walk(root: Path) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root):  # does not follow links to folders
        subfolders[:] = sorted(name for name in subfolders if name not in _SKIPPED)
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def _survey(root: Path, names: Iterator[str], stop: threading.Event) -> Survey:
    survey = Survey()
    deadline = time.monotonic() + _TIME_LIMIT
    for name in names:
        spent = time.monotonic() > deadline or survey.files >= _MAX_FILES or survey.size >= _MAX_TOTAL_BYTES
        if spent or stop.is_set():
            survey.complete = False
            break
        _count(survey, root, name)
    return survey


def _count(survey: Survey, root: Path, name: str) -> None:
    """Add one file; links and special files are passed over, so nothing outside the folder is read."""
    opened = _open_plain_file(root / name)
    if opened is None:
        return
    handle, size = opened
    with os.fdopen(handle, "rb") as stored:
        content = stored.read(_MAX_FILE_BYTES)
    survey.files += 1
    survey.size += size
    first, slash, _ = name.partition("/")
    survey.top_level[first + slash] += 1
    if os.path.basename(name) in MANIFESTS and name.count("/") <= 2:
        survey.manifests.append(name)
    suffix, basename = os.path.splitext(name)[1].lower(), os.path.basename(name).lower()
    language = LANGUAGES.get(suffix) or LANGUAGES.get(basename)
    if language is None or b"\0" in content[:8192]:
        return
    survey.language_files[language] += 1
    survey.language_lines[language] += content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    _find_todos(survey, name, content)


def _open_plain_file(path: Path) -> tuple[int, int] | None:
    try:
        if os.path.realpath(path) != str(path):  # a link somewhere on the way; it may lead outside
            return None
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        return None
    return handle, facts.st_size


def _find_todos(survey: Survey, name: str, content: bytes) -> None:
    found = list(_TODO.finditer(content))
    survey.todos += len(found)
    for match in found[: _TODO_EXAMPLES - len(survey.todo_examples)]:
        line = content.count(b"\n", 0, match.start()) + 1
        start = content.rfind(b"\n", 0, match.start()) + 1
        end = content.find(b"\n", match.start())
        text = content[start : end if end >= 0 else None].decode("utf-8", "replace").strip()
        survey.todo_examples.append(f"{_shown(name)}:{line}: {text[:160]}")


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _headline(root: Path, survey: Survey) -> str:
    title = _readme_title(root)
    named = f"# {root.name}" + (f": {title}" if title and title.lower() != root.name.lower() else "")
    code = sum(count for language, count in survey.language_lines.items() if language not in PROSE)
    return f"{named}\n\n{_files(survey.files)}, {_size(survey.size)}, {code} lines of code."


def _readme_title(root: Path) -> str:
    for name in ("README.md", "readme.md", "README.rst", "README.txt", "README"):
        opened = _open_plain_file(root / name)
        if opened is None:
            continue
        with os.fdopen(opened[0], "rb") as stored:
            lines = stored.read(4096).decode("utf-8", "replace").splitlines()
        return next((text[:120] for line in lines if (text := line.strip("#=-~ \t"))), "")
    return ""


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _size(count: int) -> str:
    amount, units = float(count), iter(("bytes", "KiB", "MiB", "GiB"))
    unit = next(units)
    while amount >= 1024 and unit != "GiB":
        amount, unit = amount / 1024, next(units)
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"


def _languages(survey: Survey) -> str:
    ranked = sorted(survey.language_files, key=lambda name: -survey.language_lines[name])[:12]
    files, lines = survey.language_files, survey.language_lines
    rows = [f"- {name}: {_files(files[name])}, {lines[name]} lines" for name in ranked]
    return "\n".join(["## Languages", *rows]) if rows else ""


def _layout(survey: Survey) -> str:
    folders = sorted((name, count) for name, count in survey.top_level.items() if name.endswith("/"))
    files = sorted(name for name in survey.top_level if not name.endswith("/"))
    rows = [f"- {_shown(name)} ({_files(count)})" for name, count in folders[:30]]
    if files:
        more = f", and {len(files) - 20} more" if len(files) > 20 else ""
        rows.append(f"- {', '.join(map(_shown, files[:20]))}{more}")
    return "\n".join(["## Top level", *rows]) if rows else "The folder is empty."


def _manifests(survey: Survey) -> str:
    if not survey.manifests:
        return ""
    found = sorted(survey.manifests)[:20]
    rows = [f"- {_shown(name)} ({MANIFESTS[os.path.basename(name)]})" for name in found]
    return "\n".join(["## Manifests", *rows])


def _commits(root: Path) -> str:
    shown = _git(root, "log", "-n", "5", "--no-show-signature", "--date=short", "--format=- %h %ad %an: %s")
    if not shown:
        return "No commits yet."
    return "## Recent commits\n" + _shown(shown.strip())


def _todos(survey: Survey) -> str:
    if not survey.todos:
        return "No TODO or FIXME found."
    return "\n".join([f"## TODO and FIXME: {survey.todos}", *(f"- {line}" for line in survey.todo_examples)])
