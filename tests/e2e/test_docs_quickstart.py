"""The commands of README and quick start, run by a shell as they stand there; only addresses and ids are filled in."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.plant import PATIENCE, Plant
from tests.factories import Cast
from tests.fakes.control_plane import TOKEN
from tests.worker.conftest import commit_all, git

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
WATCH = "curl -sN "


@pytest.fixture
def plant(cast: Cast, tmp_path: Path) -> Iterator[Plant]:
    with Plant(tmp_path) as running:
        yield running


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The folder that the reader is in."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "shop.py").write_text("PRICE = 3\n")
    git(folder, "init", "-q", "-b", "main")
    commit_all(folder, "Open the shop")
    return folder


def commands(page: str) -> list[str]:
    """The page's curl commands, in order, each with its continuation lines."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    found = [command for block in blocks for command in re.split(r"\n(?=\S)", block.rstrip())]
    return [command.rstrip("& ") for command in found if command.startswith("curl ")]


class Reader:
    """Somebody who types what the page says, in one shell's surroundings."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.folder = folder
        self.variables = {"SERVER": plant.url, "TOKEN": TOKEN}

    def start(self, command: str) -> subprocess.Popen[str]:
        surroundings = {**os.environ, **self.variables, "PWD": str(self.folder)}
        return subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.folder, env=surroundings, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: str) -> dict[str, Any]:
        """The JSON that the command prints."""
        with self.start(command) as shell:
            printed, _ = shell.communicate(timeout=PATIENCE)
        assert shell.returncode == 0, command
        answer: dict[str, Any] = json.loads(printed)
        return answer

    def watch(self, command: str) -> subprocess.Popen[str]:
        """The second terminal, once it shows its first line."""
        shell = self.start(command)
        assert shell.stdout is not None
        assert shell.stdout.readline()
        return shell

    def watch_until_complete(self, watch: subprocess.Popen[str]) -> list[str]:
        """The names of the events that the watching terminal shows; the test's own limit ends a wait in vain."""
        assert watch.stdout is not None
        seen: list[str] = []
        for line in watch.stdout:
            if line.startswith("event: "):
                seen.append(line.removeprefix("event: ").strip())
            if seen[-1:] in (["complete"], ["error"]):
                break
        watch.kill()
        watch.wait()
        watch.stdout.close()
        return seen


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started/quickstart.md"])
def test_the_first_five_minutes_go_as_written(page: str, plant: Plant, clone: Path) -> None:
    plant.worker("local", "--codebase", str(clone))
    reader, answers, watches = Reader(plant, clone), [], []
    for command in commands(page):
        if command.startswith(WATCH):
            watches.append(reader.watch(command))
            continue
        answers.append(reader.run(command))
        if "codebase" in answers[-1]:
            reader.variables["CODEBASE"] = answers[-1]["codebase"]["id"]
    assert not [answer for answer in answers if "detail" in answer or "error" in answer]
    assert '"100"' in json.dumps(answers[0])
    assert [reader.watch_until_complete(watch)[-1] for watch in watches] == ["complete"]


def test_both_pages_ask_register_watch_and_trigger() -> None:
    """What the test above runs must not become nothing by a change of the pages' form."""
    for page in ("README.md", "docs/getting-started/quickstart.md"):
        typed = commands(page)
        assert len(typed) >= 4
        assert sum(command.startswith(WATCH) for command in typed) == 1
        assert any("/trigger" in command for command in typed)
