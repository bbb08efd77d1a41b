"""A finished data folder, made once, and copies of it: initdb is the slow part."""

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codetether.embedded import Services, start

LAUNCHER = """
import sys
from pathlib import Path
from codetether.embedded import start
services = start(Path(sys.argv[1]), durable=False)
print(services.database_url, services.redis_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def finished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "finished"
    start(folder, durable=False).stop()
    return folder


@pytest.fixture
def data_dir(finished_folder: Path, tmp_path: Path) -> Path:
    """A stopped, finished data folder of this test's own."""
    return shutil.copytree(finished_folder, tmp_path / "data")


@pytest.fixture
def services(data_dir: Path) -> Iterator[Services]:
    running = start(data_dir, durable=False)
    yield running
    running.stop()


class Launcher:
    """Another process that runs the embedded servers of a folder."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert self.process.stdout is not None
        self.database_url, self.redis_url = self.process.stdout.readline().split()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def launch() -> Iterator[Callable[[Path], Launcher]]:
    launchers: list[Launcher] = []

    def run(data_dir: Path) -> Launcher:
        launchers.append(Launcher(data_dir))
        return launchers[-1]

    yield run
    for launcher in launchers:
        launcher.process.communicate(timeout=30)


def wait_for_end(pid: int, seconds: float = 10) -> bool:
    """Whether the process (not a child of ours) ends within the time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
