"""This machine: the state folder, the disk, and the codebases."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from codetether_worker.checks.findings import Finding, fail, ok, warn
from codetether_worker.config import CodebaseSpec, Config

_LITTLE, _TOO_LITTLE = 1 << 30, 100 << 20  # free bytes
_GIT_LIMIT = 20.0  # seconds; a status of a large tree on a cold disk
_UNTRUSTED = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")  # nothing of the repository is run


def check_state(config: Config) -> list[Finding]:
    """Nothing is made: a check leaves no trace."""
    folder = config.state_dir
    nearest = _nearest(folder)
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        mend = f"let {user()} write in {nearest}, or name another folder with --state-dir"
        return [fail("state folder", f"{folder} cannot be written", mend)]
    text = f"{folder} can be written" if nearest == folder else f"{folder} can be made"
    return [ok("state folder", text), _space("disk", nearest)]


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it in which it would be made."""
    return next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))


def _space(area: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free at {folder}"
    if free >= _LITTLE:
        return ok(area, text)
    return (fail if free < _TOO_LITTLE else warn)(area, text, "make room: agents and undelivered events need some")


def check_codebases(config: Config, *, git: str | None) -> list[Finding]:
    """`git` is the program; None when there is none."""
    if not config.codebases:
        mend = "offer folders with --codebases; without any it takes only tasks without a codebase"
        return [warn("codebases", "none is offered", mend)]
    return [finding for spec in config.codebases for finding in _codebase(spec, git)]


def _codebase(spec: CodebaseSpec, git: str | None) -> Iterator[Finding]:
    area, path = f"codebase {spec.name}", spec.path
    if not path.is_dir():
        yield fail(area, f"{path} is not a folder on this machine", "correct it in --codebases, or make the folder")
        return
    for right, name in ((os.R_OK | os.X_OK, "read"), (os.W_OK, "written")):
        if not os.access(path, right):
            mend = f"let {user()} read and write it; a service needs it in its ReadWritePaths: run install.sh again"
            yield fail(area, f"{path} cannot be {name} by {user()}", mend)
            return
    yield _git(area, path, git)
    space = _space(area, path)
    if space.mend:
        yield space


def _git(area: str, path: Path, git: str | None) -> Finding:
    if git is None:
        return warn(area, f"{path}: no git on the PATH, so agents' changes cannot be shown", "install git")
    command = [git, "-C", str(path), *_UNTRUSTED, "--no-optional-locks", "status", "--porcelain"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_GIT_LIMIT, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return warn(area, f"{path}: git status takes over {_GIT_LIMIT:.0f} s", "exclude generated files in .gitignore")
    if done.returncode:
        return _not_git(area, path, done.stderr)
    changed = len(done.stdout.splitlines())
    if changed:
        mend = "commit or stash it, so that it can be told from what agents do"
        return warn(area, f"{path}: {changed} uncommitted {'change' if changed == 1 else 'changes'}", mend)
    return ok(area, f"{path}: readable, writable, a clean git repository")


def _not_git(area: str, path: Path, complaint: str) -> Finding:
    if "dubious ownership" in complaint:
        mend = f"as {user()}: git config --global --add safe.directory {path}"
        return fail(area, f"{path} belongs to somebody else, and git refuses it", mend)
    if "not a git repository" in complaint:
        return warn(area, f"{path} is not in a git repository, so changes cannot be shown", f"git init {path}")
    first = (complaint.strip().splitlines() or ["it gives no reason"])[0]
    return warn(area, f"{path}: git fails: {first}", f"mend what git -C {path} status complains of")


def user() -> str:
    """Who the worker runs as; the number where the machine has no name for it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"
