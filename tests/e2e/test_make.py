"""The Makefile's promises that need no installation."""

import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


def test_plain_make_is_help() -> None:
    assert make() == make("help")


def test_help_lists_every_target_for_people() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    assert targets == set(phony)
    listed = set(re.findall(r"^  make ([a-z-]+) +\S", make("help"), re.MULTILINE))
    assert targets - listed == {"test-deps"}


def test_run_makes_the_environment_before_it_starts() -> None:
    install, start = make("--dry-run", "run", "ARGS=--port 8001").splitlines()
    assert install.endswith("sync base")
    assert start.endswith("-m codetether.cli up --port 8001")


def test_continuous_integration_runs_the_documented_command() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("exec make test")
