"""The cast: a control plane that remembers, Ada's laptop that works for it, and a repository called shop."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes import acp_agent
from tests.fakes.control_plane import FakeControlPlane
from tests.fakes.worker_process import WorkerProcess

StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def server() -> Iterator[FakeControlPlane]:
    with FakeControlPlane() as plane:
        yield plane


@pytest.fixture
def scripted_agent(tmp_path: Path) -> Path:
    """An `opencode` that is tests/fakes/acp_agent.py."""
    return make_agent(tmp_path, acp_agent.__file__)


def make_agent(folder: Path, script: str) -> Path:
    """An `opencode` that is this script, run by a bare Python."""
    program = folder / "bin" / "opencode"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(script)} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def start_worker(server: FakeControlPlane, scripted_agent: Path, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a worker with the scripted agent; further flags and environment as given."""
    with ExitStack() as stack:

        def start(*arguments: str, **environment: str) -> WorkerProcess:
            settings = {"OPENCODE_BIN": str(scripted_agent), **environment}
            worker = WorkerProcess(server.url, tmp_path, *arguments, environment=settings)
            return stack.enter_context(worker)

        yield start


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A git repository with one commit and a README."""
    return make_repository(tmp_path / "shop")


def make_repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text("# shop\n")
    git(folder, "init", "-q", "-b", "main")
    commit_all(folder, "Open the shop")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run git as Ada, whatever the machine's own configuration is."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    }  # fmt: skip
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def commit_all(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", message)


def eventually(happened: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Wait until it has happened; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
