"""What is installed by pip is the whole product: pages and their files come along with the code."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_wheel_holds_code_templates_and_static_files(tmp_path: Path) -> None:
    names = built(ROOT, tmp_path)
    for folder in ("templates", "static"):
        wanted = {f"codetether/_{folder}/{path.relative_to(ROOT / folder)}" for path in files_below(ROOT / folder)}
        assert wanted
        assert wanted <= names
    assert {"apps/tasks/models.py", "apps/tasks/migrations/0001_initial.py", "codetether/cli.py"} <= names


@pytest.mark.slow
def test_wheel_of_the_worker_holds_the_session_readers_too(tmp_path: Path) -> None:
    names = built(ROOT / "worker", tmp_path)
    assert {"codetether_worker/cli.py", "codetether_sessions/stores.py"} <= names


def built(project: Path, folder: Path) -> set[str]:
    """The names of the files in the wheel that is made of `project`."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("codetether*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
