"""The harness's own processes: the proxy, the people, and the hands, which are killed and frozen as the rest is."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.chaos import hands, people, proxy
from tests.chaos.scene import Scene
from tests.chaos.system import Part, is_alive

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["codetether_worker.cli", "codetether_worker.agents.opencode", "tests.chaos.hands", "tests.chaos.people"]
)
END_SECONDS = 20.0


def _run(work: Callable[..., None], log: Path, *arguments: Any) -> None:
    """In the new process: what goes wrong stands in the log."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 (for the life of the process)
    work(*arguments)


def forked(scene: Scene, name: str, work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A running process of the harness."""
    log = scene.folder / f"{name}.log"
    process = _FORKS.Process(target=_run, args=(work, log, scene, *arguments), name=name)
    process.start()
    return process


class HandPart(Part):
    """A hand; each start is a new life, with other chances."""

    kind = "hand"

    def __init__(self, scene: Scene, name: str) -> None:
        super().__init__(name)
        self._scene = scene
        self._lives = 0
        self._process: ForkServerProcess | None = None

    def pids(self) -> list[int]:
        pid = self._process.pid if self._process is not None else None
        return [pid] if pid is not None and is_alive(pid) else []

    def start(self) -> None:
        if self._process is not None:
            self._process.join()
        self._lives += 1
        self._process = forked(self._scene, self.name, hands.main, self.name, self._lives)


@contextmanager
def proxy_of(scene: Scene) -> Iterator[ForkServerProcess]:
    process = forked(scene, "proxy", proxy.main)
    try:
        yield process
    finally:
        end(process)


@contextmanager
def people_of(scene: Scene) -> Iterator[ForkServerProcess]:
    process = forked(scene, "people", people.main)
    try:
        yield process
    finally:
        end(process)


def end(process: ForkServerProcess) -> None:
    if process.pid is not None and is_alive(process.pid):
        os.kill(process.pid, signal.SIGKILL)
    process.join(END_SECONDS)
