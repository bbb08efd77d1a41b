"""What the tests of real agent programs share: a worker on a laptop with one of them, and a scripted model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from codetether_worker.processes import marked_processes
from tests.fakes.agent_programs import SKIP_VARIABLE
from tests.fakes.control_plane import FakeControlPlane, FakeTask
from tests.fakes.model_server import ModelServer
from tests.fakes.worker_process import WorkerProcess
from tests.worker.conftest import make_repository
from tests.worker.programs import Program

PATIENCE = 120.0  # seconds for one turn of a real program on a busy machine
MARKS = [
    pytest.mark.skipif(os.environ.get(SKIP_VARIABLE) == "1", reason=f"{SKIP_VARIABLE}=1"),
    pytest.mark.timeout(400),
]
REPOSITORIES = ("shop", "bakery", "library", "cinema", "garage", "museum", "harbour", "garden", "tower", "mill")


@dataclass
class Bench:
    """A running worker whose only agent program is the tested one."""

    program: Program
    server: FakeControlPlane
    model: ModelServer
    worker: WorkerProcess
    home: Path
    _unused: list[str] = field(default_factory=lambda: list(REPOSITORIES))

    def repository(self) -> Path:
        """A repository that no other test has touched."""
        self.model.held.clear()
        self.model.go_on.clear()
        return self.home / self._unused.pop()

    def begin(self, prompt: str, folder: Path, **body: object) -> FakeTask:
        return self.server.add_codebase_task(prompt, str(folder), **body)

    def run(self, prompt: str, folder: Path, **body: object) -> FakeTask:
        return self.ended(self.begin(prompt, folder, **body))

    def ended(self, task: FakeTask) -> FakeTask:
        return self.server.wait_ended(task, seconds=PATIENCE)

    def configure(self, folder: Path, **agent_config: object) -> None:
        """What counts for the tasks of that codebase from now on."""
        codebase = next(known for known in self.server.codebases.values() if known["path"] == str(folder))
        codebase["agent_config"] = agent_config

    def asks_first(self, folder: Path) -> None:
        """From now on a person is asked before anything is written there."""
        self.configure(folder, auto_approve=False)

    @property
    def arguments(self) -> set[str]:
        """Every argument of those processes."""
        found: set[str] = set()
        for pid in self.agents:
            with suppress(OSError):  # it has ended meanwhile
                found.update(Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0"))
        return found

    @property
    def agents(self) -> list[int]:
        """Every process that any attempt of this worker has started."""
        instance = (self.worker.state_dir / "instance").read_text().strip()
        return marked_processes(f"CODETETHER_AGENT_{instance}_")


@contextmanager
def bench(home: Path, program: Program) -> Iterator[Bench]:
    """Ada's laptop with that program; it is installed first where it is missing."""
    paths = ",".join(str(make_repository(home / name)) for name in REPOSITORIES)
    with (
        ModelServer(program.script) as model,
        FakeControlPlane() as server,
        WorkerProcess(
            server.url, home, "--codebases", paths, environment=program.environment(home, model.root_url)
        ) as worker,
    ):
        server.wait_for(lambda: len(server.codebases) == len(REPOSITORIES), seconds=PATIENCE)
        yield Bench(program, server, model, worker, home)
